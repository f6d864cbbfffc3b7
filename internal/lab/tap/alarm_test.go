package tap

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// CloudWatch sends an event about each change of an alarm, and no event if an
// alarm did not change.
func TestAlarmChanges(t *testing.T) {
	was := Alarm{AlarmName: "a", AlarmArn: "arn:a", Threshold: 1, Statistic: "Sum"}
	is := was
	is.Threshold = 99
	tests := []struct {
		name   string
		query  string
		status int
		before map[string]Alarm
		after  map[string]Alarm
		want   []string // operation and alarm name
	}{
		{name: "created", query: "Action=PutMetricAlarm&AlarmName=a", after: map[string]Alarm{"a": is}, want: []string{"create a"}},
		{name: "changed", query: "Action=PutMetricAlarm&AlarmName=a", before: map[string]Alarm{"a": was}, after: map[string]Alarm{"a": is}, want: []string{"update a"}},
		{
			name: "deleted, one of them twice and one that never was", query: "Action=DeleteAlarms&AlarmNames.member.1=b&AlarmNames.member.2=a&AlarmNames.member.3=b&AlarmNames.member.4=c",
			before: map[string]Alarm{"a": was, "b": {AlarmName: "b"}}, want: []string{"delete a", "delete b"},
		},
		{name: "refused", query: "Action=DeleteAlarms&AlarmNames.member.1=a", status: 403, before: map[string]Alarm{"a": was}},
		{
			name: "actions off, and an alarm that never was", query: "Action=DisableAlarmActions&AlarmNames.member.1=a&AlarmNames.member.2=b",
			before: map[string]Alarm{"a": was}, after: map[string]Alarm{"a": is}, want: []string{"update a"},
		},
		{name: "actions on", query: "Action=EnableAlarmActions&AlarmNames.member.1=a", before: map[string]Alarm{"a": was}, after: map[string]Alarm{"a": is}, want: []string{"update a"}},
		{name: "state set", query: "Action=SetAlarmState&AlarmName=a&StateValue=OK", before: map[string]Alarm{"a": was}, after: map[string]Alarm{"a": is}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.alarms = []map[string]Alarm{tt.before, tt.after}
			f.body = "<Response/>"
			if tt.status != 0 {
				f.status = tt.status
			}
			f.send(wire{service: "monitoring", headers: form(), body: tt.query})
			var got []string
			for _, e := range f.events() {
				if e.DetailType != "CloudWatch Alarm Configuration Change" {
					continue
				}
				d := decoded(t, e.Detail).(map[string]any)
				got = append(got, d["operation"].(string)+" "+d["alarmName"].(string))
				_, hasPrevious := d["previousConfiguration"]
				if e.Source != "aws.cloudwatch" || hasPrevious != (d["operation"] == "update") || d["configuration"] == nil {
					t.Errorf("event %s of %s", e.Detail, e.Source)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
		})
	}
}

func TestAlarmUpdateShowsBoth(t *testing.T) {
	f := newFake(t)
	f.alarms = []map[string]Alarm{{"a": {AlarmName: "a", Threshold: 1}}, {"a": {AlarmName: "a", Threshold: 99, AlarmActions: []string{"arn:t"}}}}
	f.body = "<Response/>"
	f.send(wire{service: "monitoring", headers: form(), body: "Action=PutMetricAlarm&AlarmName=a"})
	events := f.events()
	d := decoded(t, events[len(events)-1].Detail).(map[string]any)
	was, is := d["previousConfiguration"].(map[string]any), d["configuration"].(map[string]any)
	if was["threshold"] != 1.0 || is["threshold"] != 99.0 || is["alarmActions"].([]any)[0] != "arn:t" {
		t.Errorf("from %v to %v", was, is)
	}
}
