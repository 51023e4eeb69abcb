select sum(quantity * price) as total_sales, d_season
from (select distinct * from spectrum_schema.ecommerce_sales) as each_sale
join date_dimension on orderdate::date = d_prettydate
group by d_season
