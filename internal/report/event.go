package report

import (
	"context"
	"log/slog"

	"github.com/relight-aws/relight/internal/catalog"
)

// mostDetail is the largest detail of an event, in bytes. With the other members,
// an entry may have 256 KB. Source: Amazon EventBridge User Guide, "Calculating
// PutEvents event entry size".
const mostDetail = 240_000

// emit puts a notification on the default bus. The log has an event that could not
// be put there: it is not the way on which the topics depend.
func (p Reporter) emit(ctx context.Context, d *Document) {
	detail := d.fit(mostDetail, func(small Document) []byte { return marshal(small) })
	if err := p.Publisher.Emit(ctx, d.detailType(), string(detail)); err != nil {
		p.Log.LogAttrs(ctx, slog.LevelError, "event not sent", append([]slog.Attr{slog.String("untold", err.Error())}, p.metrics(p.Now(), metric{catalog.MetricUntold, 1})...)...)
	}
}
