select d_dayofweek, sum(quantity * price) as total_sales
from spectrum_schema.ecommerce_sales
join date_dimension on orderdate::date = d_prettydate
where d_season = 'Spring'
group by d_dayofweek
order by total_sales desc
