package app_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// drill asks the deployed sweep's function for a drill and then, a minute later, how
// far the messages got.
func (w *world) drill() app.Drill {
	w.t.Helper()
	ask := func(asked app.Drilling) app.Drill {
		raw, _ := json.Marshal(app.Request{Drill: &asked})
		answer := must(w.app(catalog.Backfill).HandleBackfill(w.t.Context(), raw))
		return answer.(app.Drill)
	}
	w.now = w.now.Add(time.Minute) // what was published before does not count
	d := ask(app.Drilling{})
	w.now = w.now.Add(time.Minute)
	rest := ask(app.Drilling{Since: d.Since, Last: true})
	d.Links = append(d.Links, rest.Links...)
	if d.Finding == "" {
		d.Finding = rest.Finding
	}
	return d
}

// silent returns the links of a drill that did not answer.
func silentOf(d app.Drill) (silent []string) {
	for _, l := range d.Links {
		if l.Silent != "" {
			silent = append(silent, l.String())
		}
	}
	return silent
}

// In a healthy account every link answers: each filter, the alarm, both topics and
// their subscribers. Nothing but the messages is left behind, and what relight's own
// call raises is no attack.
func TestDrill(t *testing.T) {
	t.Parallel()
	w := twoVoices(t)
	before, told := w.State(), len(w.Messages())
	d := w.drill()
	if !d.Answered() || d.Finding != "" {
		t.Errorf("silent: %q, finding %q", silentOf(d), d.Finding)
	}
	var links []string
	for _, l := range d.Links {
		links = append(links, l.String())
	}
	var want []string
	for _, c := range w.config.Baseline().Controls {
		want = append(want, "filter relight-"+c.ID)
	}
	want = append(want, "alarm relight-untold", "topic "+w.topic, "subscribers of "+w.topic, "topic "+w.last, "subscribers of "+w.last)
	if !slices.Equal(links, want) {
		t.Errorf("links %q, want %q", links, want)
	}
	for _, topic := range []string{w.topic, w.last} {
		if got := w.heard(topic, told); len(got) != 1 || !strings.HasPrefix(got[0], "relight drill: nothing happened") {
			t.Errorf("%s took %q", topic, got)
		}
	}
	if after := w.State(); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("a drill changed the account: %v, want %v", after, before)
	}
	if out := must(w.CloudWatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"relight-untold"}})); out.MetricAlarms[0].StateValue == cloudwatchtypes.StateValueAlarm {
		t.Error("the alarm is still in ALARM")
	}
	told = len(w.Messages())
	by := strings.NewReplacer(":iam:", ":sts:", ":role/", ":assumed-role/").Replace(w.deployment(home).SweepRole) + "/relight-backfill"
	rang := `"requestParameters":{"alarmName":"relight-untold","stateValue":"ALARM"},"userIdentity":{"type":"AssumedRole","arn":"` + by + `"}`
	own := call("aws.monitoring", "SetAlarmState", rang)
	if again, errs := w.send([]byte(own), true); len(again)+len(errs) > 0 || len(w.Messages()) != told {
		t.Errorf("relight's own call: %v, %v, %q", again, errs, w.Messages()[told:])
	}
	w.send([]byte(strings.Replace(own, by, "arn:aws:iam::111122223333:user/Alice", 1)), true)
	if len(w.Messages()) == told {
		t.Error("nobody was told of a stranger's call")
	}
}

// Each link, cut once, is the first that does not answer. People are told, by both
// topics as far as they work.
func TestDrillNamesTheFirstSilentLink(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cut  func(w *world)
		want func(w *world) string
	}{
		"a filter's pattern": {func(w *world) {
			f := must(w.Logs.DescribeMetricFilters(w.t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(trailGroup), FilterNamePrefix: aws.String("relight-root-usage")})).MetricFilters[0]
			must(w.Logs.PutMetricFilter(w.t.Context(), &cloudwatchlogs.PutMetricFilterInput{
				LogGroupName: aws.String(trailGroup), FilterName: f.FilterName, FilterPattern: aws.String(`{ $.userIdentity.type = "Nobody" }`), MetricTransformations: f.MetricTransformations,
			}))
		}, func(*world) string { return "filter relight-root-usage" }},
		"a filter": {func(w *world) {
			must(w.Logs.DeleteMetricFilter(w.t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String("relight-root-usage")}))
		}, func(*world) string { return "filter relight-root-usage" }},
		"the right to test":   {func(w *world) { w.Deny("TestMetricFilter") }, func(w *world) string { return "filter relight-" + w.config.Baseline().Controls[0].ID }},
		"the alarm":           {func(w *world) { w.deleteAlarms("relight-untold") }, func(*world) string { return "alarm relight-untold" }},
		"the alarm's actions": {func(w *world) { w.mute("relight-untold") }, func(*world) string { return "alarm relight-untold" }},
		"an action": {func(w *world) {
			w.changeAlarm("relight-untold", func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = in.AlarmActions[:1] })
		}, func(*world) string { return "alarm relight-untold" }},
		"the alarm's state": {func(w *world) {
			must(w.CloudWatch.SetAlarmState(w.t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("relight-untold"), StateValue: "ALARM", StateReason: aws.String("theirs")}))
		}, func(*world) string { return "alarm relight-untold" }},
		"the topic's policy": {func(w *world) {
			w.setTopic("Policy", `{"Version":"2012-10-17","Statement":[{"Sid":"no","Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"`+w.topic+`"}]}`)
		}, func(w *world) string { return "topic " + w.topic }},
		"the topic's key": {func(w *world) {
			must(w.KMS.DisableKey(w.t.Context(), &kms.DisableKeyInput{KeyId: aws.String(topicKey)}))
		}, func(w *world) string { return "topic " + w.topic }},
		"the topic of last resort": {func(w *world) {
			must(w.SNS.DeleteTopic(w.t.Context(), &sns.DeleteTopicInput{TopicArn: aws.String(w.last)}))
		}, func(w *world) string { return "topic " + w.last }},
		"a subscriber": {func(w *world) { w.unsubscribe(oncall) }, func(w *world) string { return "subscribers of " + w.topic }},
		"the queue of one of two subscribers": {func(w *world) {
			w.subscribe("email", mail)
			w.Confirm(w.topic)
			w.DeleteQueue(oncall)
		}, func(w *world) string { return "subscribers of " + w.topic }},
		"a subscriber's queue": {func(w *world) { w.DeleteQueue(oncall) }, func(w *world) string { return "subscribers of " + w.topic }},
	} {
		t.Run(name, func(t *testing.T) {
			w := twoVoices(t)
			tt.cut(w)
			told := len(w.Messages())
			d := w.drill()
			want := tt.want(w)
			if got := silentOf(d); len(got) == 0 || got[0] != want || !strings.HasPrefix(d.Finding, "[drill-silent] "+want+": it did not answer in a drill: ") {
				t.Errorf("silent: %q, finding %q; want %s first", got, d.Finding, want)
			}
			if got := strings.Join(slices.Concat(w.heard(w.topic, told), w.heard(w.last, told)), "\n"); !strings.Contains(got, d.Finding) {
				t.Errorf("people were told %q", got)
			}
		})
	}
}

// A drill asks again before it reports, since SNS counts late. A control of an owner
// has no sample, and an account without a trail has no filter to test.
func TestDrillWithoutAnswers(t *testing.T) {
	t.Parallel()
	w := twoVoices(t)
	ask := func(asked app.Drilling) app.Drill {
		raw, _ := json.Marshal(app.Request{Drill: &asked})
		return must(w.app(catalog.Backfill).HandleBackfill(t.Context(), raw)).(app.Drill)
	}
	told := len(w.Messages())
	w.now = w.now.Add(time.Minute)
	if d := ask(app.Drilling{Since: w.now}); d.Answered() || d.Finding != "" || len(w.Messages()) != told {
		t.Errorf("asked too early: %+v, %q", d, w.Messages()[told:])
	}
	w.deleteTrail("audit")
	w.forget()
	if d := ask(app.Drilling{}); d.Links[0].Link != "log group" || d.Links[0].Silent == "" {
		t.Errorf("without a trail: %+v", d.Links)
	}
}
