{{ config(
    materialized='table',
    execution_config={'pipeline.name': 'order_log'},
    connector_properties={
        'connector': 'filesystem',
        'format': 'csv',
        'path': var('output_dir') ~ '/order_log'
    }
) }}

{% set vat_percent = 19 %}

-- Every order, once.
select
    order_number,
    amount_cents,
    {{ vat_percent }} as vat_percent,
    amount_cents * {{ vat_percent }} / 100 as vat_cents
from {{ source('raw', 'orders') }}
