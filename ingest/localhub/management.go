package localhub

import (
	"fmt"
	"time"

	"phiwatch/ingest/localhub/internal/amqp"
)

// manage is $management: clients read a hub's and its partitions' properties.
func (c *conn) manage(payload []byte, _ uint32) verdict {
	return c.answer(payload, c.readProperties)
}

func (c *conn) readProperties(r request) reply {
	kind, name := r.properties.String("type"), r.properties.String("name")
	if op := r.properties.String("operation"); op != "READ" {
		return reply{status: 400, description: fmt.Sprintf("unknown operation %.50q", op), cond: condNotAllowed}
	}
	if !c.claims.cover(name+"/"+nodeManagement, time.Now()) {
		return reply{status: 401, description: fmt.Sprintf("unauthorized access to '%.200s'", name), cond: condUnauthorized}
	}
	e := c.hub.entity(name)
	if e == nil {
		return reply{status: 404, description: fmt.Sprintf("the messaging entity '%.200s' could not be found", name), cond: condNotFound}
	}
	switch kind {
	case "com.microsoft:eventhub":
		return reply{status: 200, description: "OK", body: e.describe}
	case "com.microsoft:partition":
		id := r.properties.String("partition")
		p := e.partition(id)
		if p == nil {
			return reply{status: 404, description: fmt.Sprintf("the partition '%.50s' could not be found", id), cond: condNotFound}
		}
		return reply{status: 200, description: "OK", body: func(enc *amqp.Encoder) { p.describe(enc, e.name) }}
	}
	return reply{status: 400, description: fmt.Sprintf("unknown type %.50q", kind), cond: condNotAllowed}
}

func (e *entity) describe(enc *amqp.Encoder) {
	enc.String("name")
	enc.String(e.name)
	enc.String("type")
	enc.String("com.microsoft:eventhub")
	enc.String("created_at")
	enc.Timestamp(e.created)
	enc.String("partition_count")
	enc.Int(int32(len(e.partitions)))
	enc.String("partition_ids")
	enc.Strings(e.partitionIDs())
	enc.String("georeplication_factor")
	enc.Int(1)
}

func (p *partition) describe(enc *amqp.Encoder, hub string) {
	pr := p.properties()
	enc.String("name")
	enc.String(hub)
	enc.String("type")
	enc.String("com.microsoft:partition")
	enc.String("partition")
	enc.String(p.id)
	enc.String("begin_sequence_number")
	enc.Long(pr.begin)
	enc.String("last_enqueued_sequence_number")
	enc.Long(pr.last)
	enc.String("last_enqueued_offset")
	enc.String(pr.lastOffset)
	enc.String("last_enqueued_time_utc")
	enc.Timestamp(pr.lastTime)
	enc.String("is_partition_empty")
	enc.Bool(pr.empty)
}
