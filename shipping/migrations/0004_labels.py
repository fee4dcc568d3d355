from django.db import migrations, models

# Who had all labels, but was not handed over: the one event that tells it was not known yet.
TELL_THAT_ALL_ARE_LABELLED = """
    WITH labelled AS (
        SELECT shipment_id, jsonb_object_agg(warehouse, tracking) AS tracking
        FROM shipping_parcel GROUP BY shipment_id HAVING bool_and(state = 'labelled')
    ), ready AS (
        SELECT gen_random_uuid() AS event_id, s.order_id, s.number, tracking, (
            SELECT style FROM shipping_outbox o WHERE o.order_id = s.order_id LIMIT 1
        ) AS style
        FROM shipping_shipment s JOIN labelled ON shipment_id = s.order_id
        WHERE s.state IN ('planned', 'handing_over')
    )
    INSERT INTO shipping_outbox (event_id, type, order_id, number, style, payload)
    SELECT event_id, 'ParcelsLabelled', order_id, number, style, jsonb_build_object(
        'id', event_id, 'at', now(), 'ref', jsonb_build_array(order_id, number, style), 'tracking', tracking
    ) FROM ready WHERE style IS NOT NULL
"""
LABELLED = """
    UPDATE shipping_shipment s SET state = 'labelled' FROM shipping_outbox o
    WHERE s.state = 'planned' AND o.order_id = s.order_id AND o.type = 'ParcelsLabelled'
"""
# ``plan_parcels`` is a part of ``create_labels`` now. Where it was done and labels are still to be made, what it reacted
# to must come again: so nothing may say that it has been handled.
NOT_YET_LABELLED = """
    DELETE FROM shipping_inbox i USING shipping_shipment s
    WHERE i.receiver = 'shipping.plan_parcels' AND i.state = 'done'
    AND s.order_id = i.order_id AND s.state IN ('planned', 'failing')
"""
RENAMED = "UPDATE shipping_inbox SET receiver = 'shipping.create_labels' WHERE receiver = 'shipping.plan_parcels'"
# Nobody hears of these any more.
HEARD = """
    UPDATE shipping_inbox SET state = 'done', due_at = NULL, error = '', payload = NULL
    WHERE state <> 'done' AND type IN ('ParcelPlanned', 'LabelCreated')
"""
TOLD = """
    UPDATE shipping_outbox SET confirmed_at = now()
    WHERE confirmed_at IS NULL AND type IN ('ParcelPlanned', 'LabelCreated')
"""


class Migration(migrations.Migration):
    dependencies = [("shipping", "0003_claims")]

    operations = [
        *(
            migrations.RunSQL(sql, migrations.RunSQL.noop)
            for sql in (TELL_THAT_ALL_ARE_LABELLED, LABELLED, NOT_YET_LABELLED, RENAMED, HEARD, TOLD)
        ),
        migrations.AlterField("shipment", "state", models.CharField(max_length=12)),
    ]
