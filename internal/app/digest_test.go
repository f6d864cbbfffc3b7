package app_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// digest does what the schedule of the daily digest does, and returns what people
// are notified of.
func (w *world) digest() string {
	w.t.Helper()
	input := must(w.Scheduler.GetSchedule(w.t.Context(), &scheduler.GetScheduleInput{Name: aws.String("relight-daily-digest")})).Target.Input
	return w.mailOf(func() { must(w.app(catalog.Backfill).HandleBackfill(w.t.Context(), []byte(*input))) })
}

// What still needs a person comes again every day, whatever the marks say, in one
// message. If nothing does, there is none.
func TestDailyDigest(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(*world){
		"people know it":       func(w *world) { w.sweepAll() },
		"nobody knows it":      func(*world) {},
		"the marks are unread": func(w *world) { w.sweepAll(); w.Deny("GetParameterHistory") },
		"the marks were planted": func(w *world) {
			w.sweepAll()
			w.putAs(sessionOf(catalog.Backfill), findingsMemory, w.parameter(findingsMemory))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, "")
			if told := w.digest(); told != "" {
				t.Fatalf("nothing to report, but people read %q", told)
			}
			w.FailDelivery(home, "vpc-1", "Access error")
			w.FailDelivery(second, "vpc-3", "Access error")
			arrange(w)
			for day := range 2 {
				before := len(w.Messages())
				told := w.digest()
				if len(w.Messages()) != before+1 || strings.Count(told, "its delivery is FAILED") != 2 || !strings.HasPrefix(told, "Daily digest: ") {
					t.Errorf("day %d: people read %q", day, told)
				}
			}
			w.Allow("GetParameterHistory")
			if told := w.mailOf(w.sweepAll); told != "" && name == "people know it" {
				t.Errorf("between digests people read %q", told)
			}
		})
	}
}

// The schedule of the digest is guarded like those of the sweep.
func TestDigestIsScheduled(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(*world){
		"deleted": func(w *world) {
			must(w.Scheduler.DeleteSchedule(w.t.Context(), &scheduler.DeleteScheduleInput{Name: aws.String("relight-daily-digest")}))
		},
		"an ordinary sweep": func(w *world) {
			w.putSchedule("relight-daily-digest", func(in *scheduler.UpdateScheduleInput) {
				in.Target.Input = aws.String(w.config.Baseline().Guard.SweepInput())
			})
		},
		"on leap days": func(w *world) {
			w.putSchedule("relight-daily-digest", func(in *scheduler.UpdateScheduleInput) { in.ScheduleExpression = aws.String("cron(0 7 29 2 ? *)") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, few)
			before := w.State()
			cut(w)
			told := w.mailOf(w.sweepAll)
			if !strings.Contains(told, "schedule relight-daily-digest") {
				t.Errorf("people read %q", told)
			}
			if key := home + " schedule relight-daily-digest"; w.State()[key] != before[key] || before[key] == "" {
				t.Errorf("it is %q, want %q", w.State()[key], before[key])
			}
		})
	}
}

func (w *world) sweepAll() { w.sweep(app.Request{}) }
