package report

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/version"
)

// mostDetail is the largest detail of an event, in bytes. With the other members,
// an entry may have 256 KB. Source: Amazon EventBridge User Guide, "Calculating
// PutEvents event entry size".
const mostDetail = 240_000

// A detail is what an event of relight's says.
type detail struct {
	Version string `json:"version"` // of relight
	Account string `json:"account"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	Reports []View `json:"reports,omitempty"` // left out if the event would be too large
}

// emit puts a notification on the default bus. The log has an event that could not
// be put there: it is not the way on which the topics depend.
func (p Reporter) emit(ctx context.Context, head, text string, reports []remedy.Report) {
	repaired, unrestored := 0, 0
	d := detail{Version: version.String(), Account: reports[0].Scope.Account, Subject: head, Text: text}
	for _, r := range reports {
		repaired += r.Repaired()
		unrestored += Unrestored(r)
		d.Reports = append(d.Reports, ViewOf(r))
	}
	kind := catalog.EventFinding
	switch {
	case unrestored > 0:
		kind = catalog.EventNotRestored
	case repaired > 0:
		kind = catalog.EventRestored
	}
	if err := p.Publisher.Emit(ctx, kind, encode(d)); err != nil {
		p.Log.LogAttrs(ctx, slog.LevelError, "event not sent", append([]slog.Attr{slog.String("untold", err.Error())}, p.metrics(p.Now(), metric{catalog.MetricUntold, 1})...)...)
	}
}

// encode returns a detail as JSON of at most mostDetail bytes: without the reports,
// and then with less of the text, if it is longer.
func encode(d detail) string {
	for {
		raw, err := json.Marshal(d)
		if err == nil && len(raw) <= mostDetail {
			return string(raw)
		}
		if d.Reports == nil {
			d.Text = strings.ToValidUTF8(d.Text[:len(d.Text)/2], "") + "…"
		}
		d.Reports = nil
	}
}
