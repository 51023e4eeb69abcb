select category, sum(quantity * price) as total_sales
from spectrum_schema.sales
where sale_month = '2016-12'
group by category
order by category
