{{ config(
    materialized='table',
    execution_config={'pipeline.name': 'revenue_per_interval'},
    connector_properties={
        'connector': 'filesystem',
        'format': 'csv',
        'path': var('output_dir') ~ '/revenue_per_interval'
    }
) }}

-- A window is written once, when the watermark says that it is complete.
select
    window_start,
    window_end,
    count(*) as orders,
    sum(amount_cents) as revenue_cents
from table(
    tumble(table {{ ref('counted_orders') }}, descriptor(ordered_at), interval '10' seconds)
)
group by window_start, window_end
