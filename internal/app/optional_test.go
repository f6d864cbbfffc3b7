package app_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
)

const groupKey = "arn:aws:kms:us-east-1:111122223333:key/5e6f7a8b-1c2d-4e3f-9a0b-c1d2e3f4a5b6"

// group returns what the account has of a log group, or "" if there is none.
func (w *world) group(region, name string) string { return w.State()[region+" log-group "+name] }

// ownFilters counts relight's filters on the trail's log group.
func (w *world) ownFilters() int {
	n := 0
	for key := range w.State() {
		if strings.HasPrefix(key, home+" metric-filter "+trailGroup+" relight-") {
			n++
		}
	}
	return n
}

// changes returns the writes after the first n, but for what sweeps remember of
// their findings.
func (w *world) changes(n int) []awstest.Write {
	return slices.DeleteFunc(w.Writes()[n:], func(wr awstest.Write) bool { return wr.Op == "PutParameter" })
}

// told returns the text of the notifications after the first n.
func (w *world) told(n int) string {
	var all []string
	for _, m := range w.Messages()[n:] {
		all = append(all, m.Subject+"\n"+m.Text)
	}
	return strings.Join(all, "\n")
}

// A log group comes back even if AWS refuses an optional part of it: its key,
// its deletion protection or its tags. People are notified of what is missing, and the
// part follows once AWS takes it.
func TestLogGroupWithoutARefusedPart(t *testing.T) {
	t.Parallel()
	keyed := `{"kmsKeys":{"` + home + `":"` + groupKey + `"}}`
	shut := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}}`
	tests := map[string]struct {
		spoil, repair func(*world)
		missing       string // in the notification
		never         bool   // the part never follows
	}{
		"a disabled key": {
			spoil: func(w *world) {
				must(w.KMS.DisableKey(w.t.Context(), &kms.DisableKeyInput{KeyId: aws.String(groupKey)}))
			},
			repair: func(w *world) {
				must(w.KMS.EnableKey(w.t.Context(), &kms.EnableKeyInput{KeyId: aws.String(groupKey)}))
			},
			missing: "created without its key: enable the key " + groupKey,
		},
		"a key that is about to be deleted": {
			spoil: func(w *world) {
				must(w.KMS.ScheduleKeyDeletion(w.t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: aws.String(groupKey)}))
			},
			repair: func(w *world) {
				must(w.KMS.CancelKeyDeletion(w.t.Context(), &kms.CancelKeyDeletionInput{KeyId: aws.String(groupKey)}))
				must(w.KMS.EnableKey(w.t.Context(), &kms.EnableKeyInput{KeyId: aws.String(groupKey)}))
			},
			missing: "created without its key: enable the key " + groupKey,
		},
		"a key that does not admit CloudWatch Logs": {
			spoil: func(w *world) {
				must(w.KMS.PutKeyPolicy(w.t.Context(), &kms.PutKeyPolicyInput{KeyId: aws.String(groupKey), Policy: aws.String(shut)}))
			},
			repair:  func(w *world) { w.AddKey(groupKey) },
			missing: "created without its key: enable the key " + groupKey,
		},
		"a retention that is denied": {
			spoil:   func(w *world) { w.Deny("PutRetentionPolicy") },
			repair:  func(w *world) { w.Allow("PutRetentionPolicy") },
			missing: "logs:PutRetentionPolicy", never: true, // without a retention it keeps its logs for ever
		},
		"a code that nobody has recorded": {
			spoil:   func(w *world) { w.Fail("CreateLogGroup", "SomeKeyException") },
			repair:  func(*world) {},
			missing: "created without its key",
		},
		"KMS's own code": {
			spoil:   func(w *world) { w.Fail("CreateLogGroup", "KMSInvalidStateException") },
			repair:  func(*world) {},
			missing: "created without its key",
		},
		"protection that is denied": {
			spoil:   func(w *world) { w.Deny("PutLogGroupDeletionProtection") },
			repair:  func(w *world) { w.Allow("PutLogGroupDeletionProtection") },
			missing: "created without deletion protection",
		},
		"both": {
			spoil: func(w *world) {
				w.Deny("PutLogGroupDeletionProtection")
				must(w.KMS.DisableKey(w.t.Context(), &kms.DisableKeyInput{KeyId: aws.String(groupKey)}))
			},
			repair: func(w *world) {
				w.Allow("PutLogGroupDeletionProtection")
				must(w.KMS.EnableKey(w.t.Context(), &kms.EnableKeyInput{KeyId: aws.String(groupKey)}))
			},
			missing: "created without its key, deletion protection: enable the key " + groupKey,
		},
		"tags that are denied": {
			spoil:   func(w *world) { w.Deny("TagResource") },
			repair:  func(w *world) { w.Allow("TagResource") },
			missing: "created without tags", never: true,
		},
	}
	for name, tt := range tests {
		for _, by := range []string{"event", "sweep"} {
			t.Run(name+", by "+by, func(t *testing.T) {
				w := healthy(t, keyed)
				w.deleteGroup(home, trailGroup)
				tt.spoil(w)
				told := len(w.Messages())
				if by == "event" {
					w.send(events.Read("DeleteLogGroup.trail.json"), true)
				} else {
					w.sweep(app.Request{})
				}
				if w.group(home, trailGroup) == "" || w.ownFilters() != len(catalog.Controls()) {
					t.Fatalf("group %q with %d filters\n%s", w.group(home, trailGroup), w.ownFilters(), w.told(told))
				}
				if text := w.told(told); !strings.Contains(text, tt.missing) {
					t.Errorf("people were notified of\n%s\nwithout %q", text, tt.missing)
				}
				for i := range 3 { // no loop of writes while the part is refused
					if name == "a code that nobody has recorded" || name == "KMS's own code" {
						break
					}
					writes, told := len(w.Writes()), len(w.Messages())
					s := w.sweep(app.Request{})
					news := i == 0 && (strings.Contains(w.told(told), "NOT restored: ") || // what the creation left out is a failure of its own, reported once
						by == "event" && strings.Contains(w.told(told), "[log-group-key-unusable] log group "+flowLogGroup+": ")) // it has the key too
					if extra := w.changes(writes); len(extra) > 0 || len(w.Messages()) != told && !news {
						t.Errorf("a sweep writes %v and notifies people of\n%s", extra, w.told(told))
					}
					if !tt.never && s.Unrestored == 0 {
						t.Error("a sweep calls it restored")
					}
				}
				tt.repair(w)
				w.sweep(app.Request{})
				s := w.sweep(app.Request{})
				if s.Planned != 0 || s.Unrestored != 0 {
					t.Errorf("afterwards a sweep plans %d and leaves %v", s.Planned, unrestored(s))
				}
				state := w.group(home, trailGroup)
				if whole := strings.Contains(state, groupKey) && strings.Contains(state, `"protected":true`); whole == tt.never && !tt.never {
					t.Errorf("the group is %s, want it with its key and protected", state)
				}
				if gaps := w.gaps(); len(gaps) > 0 {
					t.Errorf("not protected: %v", gaps)
				}
			})
		}
	}
}

// A refusal that is about the log group itself stays an error, and costs a few
// calls, not many.
func TestLogGroupThatIsRefused(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.deleteGroup(home, trailGroup)
	w.Deny("CreateLogGroup")
	before := w.Calls()
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.LogGroups}})
	if n := w.Calls().Since(before)["CreateLogGroup"]; s.Unrestored == 0 || n > 4 {
		t.Errorf("%d left, %d calls of CreateLogGroup", s.Unrestored, n)
	}
	w.Allow("CreateLogGroup")
	w.Fail("CreateLogGroup", "LimitExceededException", "LimitExceededException", "LimitExceededException")
	before = w.Calls()
	w.sweep(app.Request{Kinds: []catalog.Kind{catalog.LogGroups}})
	if n := w.Calls().Since(before)["CreateLogGroup"]; n != 1 {
		t.Errorf("%d calls of CreateLogGroup for a quota", n)
	}
}

// While a part is refused, the events that relight's own calls raise do not report
// the same failure again and again.
func TestRefusedPartIsReportedOnce(t *testing.T) {
	t.Parallel()
	w := healthy(t, `{"kmsKeys":{"`+home+`":"`+groupKey+`"}}`)
	must(w.KMS.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: aws.String(groupKey)}))
	w.deleteGroup(home, trailGroup)
	function := w.app(catalog.Function(catalog.LogGroups))
	told := len(w.Messages())
	for _, event := range []string{"DeleteLogGroup.trail.json", "CreateLogGroup.trail.json", "CreateLogGroup.trail.json", "CreateLogGroup.trail.json", "CreateLogGroup.trail.json"} {
		if _, err := function.HandleEvent(t.Context(), batch(events.Read(event))); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.Messages()) - told; n > 2 { // of the group without its key, and of the key that is still refused
		t.Errorf("%d messages:\n%s", n, w.told(told))
	}
}

// relight knows its own log group by its name too: one call removes a tag.
func TestUntaggedLogGroup(t *testing.T) {
	t.Parallel()
	for _, region := range []string{home, second} {
		w := deployed(t, "")
		w.AddVPC(second, "vpc-0a1b")
		w.sweep(app.Request{})
		arn := "arn:aws:logs:" + region + ":" + account + ":log-group:" + flowLogGroup
		must(w.In(region).Logs.UntagResource(t.Context(), &cloudwatchlogs.UntagResourceInput{ResourceArn: aws.String(arn), TagKeys: []string{"relight"}}))
		w.protect(region, flowLogGroup, false)
		w.sweep(app.Request{})
		if state := w.group(region, flowLogGroup); !strings.Contains(state, `"protected":true`) {
			t.Errorf("%s: %s, want it protected again", region, state)
		}
		if s := w.sweep(app.Request{}); s.Planned != 0 {
			t.Errorf("%s: a second sweep plans %d", region, s.Planned)
		}
	}
}

// untag takes relight's tag off the trail's log group.
func (w *world) untag() {
	w.t.Helper()
	arn := "arn:aws:logs:" + home + ":" + account + ":log-group:" + trailGroup
	must(w.Logs.UntagResource(w.t.Context(), &cloudwatchlogs.UntagResourceInput{ResourceArn: aws.String(arn), TagKeys: []string{"relight"}}))
}

// ownTrailGroup returns an account whose trail's log group relight made again, and
// has seen in a sweep since.
func ownTrailGroup(t *testing.T, configuration string) *world {
	t.Helper()
	w := healthy(t, configuration)
	w.deleteGroup(home, trailGroup)
	w.send(events.Read("DeleteLogGroup.trail.json"), true)
	told := len(w.Messages())
	if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 || len(w.Messages()) != told {
		t.Fatalf("%+v, people are told %q", s, w.told(told))
	}
	return w
}

// The trail's log group is relight's own if relight made it again. Who takes its
// tag off and then its deletion protection or its key gets neither past relight, by
// the event or by the sweep, however often.
func TestUntaggedTrailGroup(t *testing.T) {
	t.Parallel()
	configured := strings.Replace(few, "{", `{"kmsKeys":{"us-east-1":"`+groupKey+`"},`, 1)
	attacks := map[string]struct {
		do     func(*world)
		event  string
		config string
	}{
		"unprotected": {func(w *world) { w.protect(home, trailGroup, false) }, "PutLogGroupDeletionProtection.trail.json", few},
		"without its key": {func(w *world) {
			must(w.Logs.DisassociateKmsKey(t.Context(), &cloudwatchlogs.DisassociateKmsKeyInput{LogGroupName: aws.String(trailGroup)}))
		}, "DisassociateKmsKey.trail.json", configured},
		"untagged only": {func(*world) {}, "", few},
	}
	for name, tt := range attacks {
		for _, by := range []string{tt.event, "the sweep"} {
			if by == "" {
				continue
			}
			t.Run(name+" by "+by, func(t *testing.T) {
				w := ownTrailGroup(t, tt.config)
				before := w.group(home, trailGroup)
				for round := range 3 {
					w.untag()
					tt.do(w)
					told := len(w.Messages())
					if by == "the sweep" {
						w.sweep(app.Request{})
					} else if again, errs := w.send(events.Read(by), true); len(again)+len(errs) > 0 {
						t.Error(again, errs)
					}
					if diff := cmp.Diff(before, w.group(home, trailGroup)); diff != "" {
						t.Errorf("round %d: not restored (-before +after):\n%s", round, diff)
					}
					if m := w.told(told); !strings.Contains(m, "Restored: ") || !strings.Contains(m, trailGroup) {
						t.Errorf("round %d: people are told %q", round, m)
					}
				}
				if s := w.sweep(app.Request{}); s.Planned != 0 {
					t.Errorf("a sweep afterwards plans %d", s.Planned)
				}
			})
		}
	}
}

// A log group that relight did not make stays as its owner has it, also in an
// account whose trail relight made again, and so does one that its owner has
// accepted as theirs.
func TestOwnersTrailGroup(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(*testing.T) *world{
		"theirs from the start": func(t *testing.T) *world { return healthy(t, few) },
		"the trail was made again": func(t *testing.T) *world {
			w := healthy(t, few)
			w.deleteTrail("audit")
			w.send(events.Read("DeleteTrail.name.json"), true)
			return w
		},
		"accepted": func(t *testing.T) *world {
			w := ownTrailGroup(t, few)
			w.untag()
			if what := w.accept(); len(what.Changes) != 1 || what.Changes[0].Name != "log group made by relight" {
				t.Errorf("%+v", what)
			}
			return w
		},
		"another trail's": func(t *testing.T) *world { // what relight remembers is about another log group
			w := ownTrailGroup(t, few)
			w.untag()
			w.putMemory(strings.ReplaceAll(w.memory(), trailGroup, "another"))
			return w
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := arrange(t)
			w.protect(home, trailGroup, false)
			before := w.group(home, trailGroup)
			w.send(events.Read("PutLogGroupDeletionProtection.trail.json"), true)
			w.sweep(app.Request{})
			w.sweep(app.Request{})
			if diff := cmp.Diff(before, w.group(home, trailGroup)); diff != "" {
				t.Errorf("changed (-before +after):\n%s", diff)
			}
		})
	}
}

func (w *world) alarmNamed(name string) (a cloudwatchtypes.MetricAlarm, exists bool) {
	w.t.Helper()
	out := must(w.CloudWatch.DescribeAlarms(w.t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}}))
	if len(out.MetricAlarms) == 0 {
		return a, false
	}
	return out.MetricAlarms[0], true
}

// Five junk actions on an alarm of relight's leave no room for its topic.
func TestFiveJunkActions(t *testing.T) {
	t.Parallel()
	arn := func(name string) string { return "arn:aws:sns:" + home + ":" + account + ":" + name }
	for name, tt := range map[string]struct {
		deny    string
		removed string
	}{
		"as read":       {"", "nobody-1"},
		"if not by AWS": {"GetTopicAttributes", "ops-4"},
	} {
		for _, by := range []string{"event", "sweep"} {
			t.Run(name+", by "+by, func(t *testing.T) {
				w := healthy(t, "")
				five := []string{w.AddTopic(home, "ops-1", 1), arn("nobody-1"), w.AddTopic(home, "ops-2", 1), w.AddTopic(home, "ops-3", 1), w.AddTopic(home, "ops-4", 1)}
				w.changeAlarm(rootUsage, func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = five })
				if tt.deny != "" {
					w.Deny(tt.deny)
				}
				told := len(w.Messages())
				if by == "event" {
					w.send(events.Read("PutMetricAlarm.weakened.json"), true)
				} else {
					w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Alarms}})
				}
				a, _ := w.alarmNamed(rootUsage)
				if !slices.Contains(a.AlarmActions, w.topic) || slices.Contains(a.AlarmActions, arn(tt.removed)) || len(a.AlarmActions) != 5 {
					t.Errorf("actions %v, want relight's topic instead of %s", a.AlarmActions, tt.removed)
				}
				if text := w.told(told); !strings.Contains(text, "alarm-actions-full") || !strings.Contains(text, arn(tt.removed)) {
					t.Errorf("people were notified of\n%s", text)
				}
				writes := len(w.Writes())
				if s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Alarms}}); s.Planned != 0 || s.Findings != 0 && tt.deny == "" || len(w.changes(writes)) > 0 {
					t.Errorf("a second sweep plans %d and has %d findings", s.Planned, s.Findings)
				}
			})
		}
	}
}

// squat deletes an alarm of relight's and puts an alarm of another type under
// its name.
func (w *world) squat(name, kind string) {
	w.t.Helper()
	w.deleteAlarms(name)
	if kind == "composite alarm" {
		must(w.CloudWatch.PutCompositeAlarm(w.t.Context(), &cloudwatch.PutCompositeAlarmInput{AlarmName: aws.String(name), AlarmRule: aws.String("FALSE")}))
		return
	}
	must(w.CloudWatch.PutLogAlarm(w.t.Context(), &cloudwatch.PutLogAlarmInput{
		AlarmName: aws.String(name), ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanThreshold, Threshold: aws.Float64(1e9),
		QueryResultsToAlarm: aws.Int32(1), QueryResultsToEvaluate: aws.Int32(1), ScheduledQueryConfiguration: &cloudwatchtypes.ScheduledQueryConfiguration{
			QueryString: aws.String("fields @message"), ScheduledQueryRoleARN: aws.String(theirRole), AggregationExpression: aws.String("count(*)"),
			ScheduleConfiguration: &cloudwatchtypes.ScheduleConfiguration{ScheduleExpression: aws.String("rate(5 minutes)"), StartTimeOffset: aws.Int64(300)},
		},
	}))
}

// An alarm of another type under the name of relight's does not keep the control
// from having its alarm.
func TestSquattedAlarmName(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"composite alarm", "log alarm"} {
		for _, by := range []string{"event", "sweep"} {
			t.Run(kind+", by "+by, func(t *testing.T) {
				w := healthy(t, "")
				w.squat(rootUsage, kind)
				told := len(w.Messages())
				var s app.Sweep
				if by == "event" {
					if _, errs := w.send(events.Read("DeleteAlarms.one.json"), true); len(errs) > 0 {
						t.Error(errs)
					}
				} else {
					s = w.sweep(app.Request{})
				}
				if text := w.told(told); !strings.Contains(text, "a "+kind+" has the name of relight's alarm") {
					t.Errorf("people were notified of\n%s", text)
				}
				if gaps := w.gaps(); len(gaps) > 0 || s.Unrestored > 0 {
					t.Errorf("not protected: %v; %v", gaps, unrestored(s))
				}
				writes := len(w.Writes())
				w.send(events.Read("DeleteAlarms.one.json"), true)
				if s := w.sweep(app.Request{}); s.Planned != 0 || len(w.changes(writes)) > 0 || s.Findings != 1 {
					t.Errorf("a second sweep plans %d, %d findings, writes %v", s.Planned, s.Findings, w.changes(writes))
				}
				second := ""
				for name := range w.State() {
					if name, ours := strings.CutPrefix(name, home+" alarm "); ours && strings.HasPrefix(name, rootUsage+"-") {
						second = name
					}
				}
				w.squat(second, kind) // the next name too
				w.sweep(app.Request{})
				if gaps := w.gaps(); len(gaps) > 0 {
					t.Errorf("with both names taken, not protected: %v", gaps)
				}
				w.deleteAlarms(rootUsage, second)
				w.sweep(app.Request{})
				if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 {
					t.Errorf("once both are gone, a sweep plans %d and has %d findings", s.Planned, s.Findings)
				}
			})
		}
	}
}

// A composite alarm with a suppressor is reported, or loses it, also if it depends
// on an alarm of a control through other composite alarms. It is left as it is if
// it depends on other alarms only.
func TestSuppressorsOfNestedAlarms(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		rules map[string]string
		found string
	}{
		"itself":                   {map[string]string{"any-of-the-account": `AT_LEAST(1, ALARM, (relight-root-usage, relight-iam-changes))`}, "composite-alarm-suppressed"},
		"through another":          {map[string]string{"any-of-the-account": `ALARM(inner)`, "inner": `ALARM("relight-root-usage")`}, "composite-alarm-suppressed"},
		"through two":              {map[string]string{"any-of-the-account": `ALARM(middle)`, "middle": `NOT OK(inner)`, "inner": `AT_LEAST(50%, NOT OK, (checkout-latency, relight-root-usage))`}, "composite-alarm-suppressed"},
		"through one that is dark": {map[string]string{"any-of-the-account": `ALARM(inner)`, "inner": `MOST(relight-root-usage)`}, "composite-alarm-unclear"},
		"through itself":           {map[string]string{"any-of-the-account": `ALARM(any-of-the-account) OR ALARM(checkout-latency)`}, ""},
		"other alarms":             {map[string]string{"any-of-the-account": `ALARM(inner)`, "inner": `ALARM(checkout-latency) OR ALARM("a name, with a comma")`}, ""},
		"what does not exist":      {map[string]string{"any-of-the-account": `ALARM(nothing)`}, ""},
	}
	for name, tt := range tests {
		for _, by := range []string{"event", "sweep"} {
			t.Run(name+", by "+by, func(t *testing.T) {
				w := healthy(t, few)
				for alarm, rule := range tt.rules {
					in := &cloudwatch.PutCompositeAlarmInput{AlarmName: aws.String(alarm), AlarmRule: aws.String(rule)}
					if alarm == "any-of-the-account" {
						in.ActionsSuppressor = aws.String("arn:aws:cloudwatch:us-east-1:111122223333:alarm:" + foreignAlarm)
						in.ActionsSuppressorWaitPeriod, in.ActionsSuppressorExtensionPeriod = aws.Int32(60), aws.Int32(60)
					}
					must(w.CloudWatch.PutCompositeAlarm(t.Context(), in))
				}
				look := func() (found string) {
					told := len(w.Messages())
					if by == "sweep" {
						return strings.Join(codes(w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Alarms}})), " ")
					}
					if _, errs := w.send(events.Read("PutCompositeAlarm.suppressed.json"), true); len(errs) > 0 {
						t.Error(errs)
					}
					for _, code := range []string{"composite-alarm-suppressed", "composite-alarm-unclear"} {
						if strings.Contains(w.told(told), "["+code+"]") {
							found += code
						}
					}
					return found
				}
				writes := len(w.Writes())
				if got := look(); got != tt.found || len(w.changes(writes)) > 0 {
					t.Errorf("found %q, want %q; writes %v", got, tt.found, w.changes(writes))
				}
				w.config.Alarms.RemoveMutes = true
				look()
				if n := len(w.changes(writes)); (n == 1) != (tt.found != "") {
					t.Errorf("removing: writes %v", w.changes(writes))
				}
				if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 {
					t.Errorf("afterwards a sweep plans %d and has the findings %v", s.Planned, codes(s))
				}
			})
		}
	}
}

// A region that does not know log alarms refuses a listing that asks for them.
func TestRegionWithoutLogAlarms(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"ValidationError", "InvalidParameterValue"} {
		w := healthy(t, "")
		w.PageSize(0)
		w.deleteAlarms(rootUsage)
		w.Fail("DescribeAlarms", code, "", code, "") // before the repair and after it
		if s := w.sweep(app.Request{}); s.Unrestored != 0 {
			t.Errorf("%s: %v", code, unrestored(s))
		}
		if gaps := w.gaps(); len(gaps) > 0 {
			t.Errorf("%s: not protected: %v", code, gaps)
		}
	}
}

// relight's own alarms are what the configuration says, also where it asks for
// less than before.
func TestChangedAlarmSettings(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	for _, settings := range []string{`{"threshold":5}`, `{"threshold":5,"periodSeconds":3600}`, `{"threshold":2}`, `{}`} {
		changed := deployed(t, `{"controls":{"root-usage":`+settings+`}}`)
		w.config = changed.config
		want := struct {
			Threshold float64
			Period    int32 `json:"periodSeconds"`
		}{catalog.AlarmThreshold, catalog.AlarmPeriod}
		if err := json.Unmarshal([]byte(settings), &want); err != nil {
			t.Fatal(err)
		}
		if s := w.sweep(app.Request{}); s.Repaired != 1 {
			t.Errorf("%s: the sweep restores %d, want 1", settings, s.Repaired)
		}
		if a, _ := w.alarmNamed(rootUsage); *a.Threshold != want.Threshold || *a.Period != want.Period {
			t.Errorf("%s: threshold %v in %d s", settings, *a.Threshold, *a.Period)
		}
		if s := w.sweep(app.Request{}); s.Planned != 0 {
			t.Errorf("%s: a second sweep plans %d", settings, s.Planned)
		}
	}
}

// Somebody else's filter and alarm satisfied a control until the filter was
// deleted. The event of relight's own new filter brings its alarm.
func TestAlarmFollowsItsFilter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // an echo waits
		w := deployed(t, "")
		c := catalog.Controls()[slices.IndexFunc(catalog.Controls(), func(c catalog.Control) bool { return c.ID == "cloudtrail-changes" })]
		own := "relight-" + c.ID
		w.putFilter(trailGroup, filterOf("their-filter", c.Pattern, "theirs", "calls"))
		w.putAlarm(alarmOn("their-alarm", "theirs", "calls", w.topic))
		w.sweep(app.Request{})
		if _, exists := w.alarmNamed(own); exists {
			t.Fatal("relight created an alarm although another one satisfies the control")
		}
		must(w.Logs.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String("their-filter")}))
		w.send(events.Read("DeleteMetricFilter.ours.json"), true) // of the same log group
		w.send(events.Read("PutMetricFilter.echo.json"), true)    // relight's own write
		if _, exists := w.alarmNamed(own); !exists {
			t.Error("the control has a filter and no alarm")
		}
		if gaps := w.gaps(); len(gaps) > 0 {
			t.Errorf("not protected: %v", gaps)
		}
		writes := len(w.Writes())
		w.send(events.Read("PutMetricFilter.echo.json"), true)
		if s := w.sweep(app.Request{}); s.Planned != 0 || len(w.changes(writes)) > 0 {
			t.Errorf("afterwards a sweep plans %d, writes %v", s.Planned, w.changes(writes))
		}
	})
}

// relight's own alarm is restored without what others added to it, if CloudWatch
// refuses that: an action may need a permission that relight does not have.
func TestAlarmWithoutWhatOthersAdded(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		add   func(*cloudwatch.PutMetricAlarmInput)
		codes []string
		keeps bool
	}{
		"an alarm action":      {func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = append(in.AlarmActions, ops) }, []string{"AccessDenied", "AccessDenied"}, false},
		"an OK action":         {func(in *cloudwatch.PutMetricAlarmInput) { in.OKActions = []string{ops} }, []string{"ValidationError", "ValidationError"}, false},
		"a code to come":       {func(in *cloudwatch.PutMetricAlarmInput) { in.OKActions = []string{ops} }, []string{"SomethingFault", "SomethingFault"}, false},
		"what is not at fault": {func(in *cloudwatch.PutMetricAlarmInput) { in.OKActions = []string{ops} }, []string{"AccessDenied"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, few)
			w.AddTopic(home, "ops", 1)
			w.changeAlarm(rootUsage, func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = aws.Float64(1000); tt.add(in) })
			w.Fail("PutMetricAlarm", tt.codes...)
			w.sweep(app.Request{})
			a, _ := w.alarmNamed(rootUsage)
			kept := slices.Contains(slices.Concat(a.AlarmActions, a.OKActions), ops)
			if gaps := w.gaps(); slices.Contains(gaps, "root-usage") || kept != tt.keeps || !slices.Contains(a.AlarmActions, w.topic) {
				t.Errorf("not protected: %v; actions %v, %v", gaps, a.AlarmActions, a.OKActions)
			}
			if log := w.log.String(); !tt.keeps && !strings.Contains(log, "created without what others added to it") {
				t.Errorf("nobody is notified: %s", log)
			}
			if s := w.sweep(app.Request{}); s.Planned != 0 {
				t.Errorf("afterwards a sweep plans %d", s.Planned)
			}
		})
	}
}

// ops is a topic of an owner.
const ops = "arn:aws:sns:us-east-1:111122223333:ops"

// A protection comes back without the optional part that AWS refuses: tags that a
// service control policy or a tag policy denies, or a boundary that is gone. People
// are notified of what is missing. While the part is refused, relight writes nothing
// else, and once AWS takes it, everything that can follow does.
func TestProtectionWithoutARefusedPart(t *testing.T) {
	t.Parallel()
	const boundary = policies + "bounds"
	deny := func(ops ...string) func(*world) {
		return func(w *world) {
			for _, op := range ops {
				w.Deny(op)
			}
		}
	}
	allow := func(ops ...string) func(*world) {
		return func(w *world) {
			for _, op := range ops {
				w.Allow(op)
			}
		}
	}
	fail := func(op string, codes ...string) func(*world) { return func(w *world) { w.Fail(op, codes...) } }
	nothing := func(*world) {}
	alarm, topic := home+" alarm "+rootUsage, home+" topic arn:aws:sns:us-east-1:111122223333:relight-alerts"
	deleteAlarm := func(w *world) { w.deleteAlarms(rootUsage) }
	deleteTopic := func(w *world) { w.deleteTopic() }
	deleteLog := func(w *world) { w.deleteFlowLogs(home, "vpc-1") }
	deleteRole := func(w *world) { w.RemoveRole(role) }
	tests := map[string]struct {
		harm, refuse, permit func(*world)
		key                  string // of what comes back
		lacks                string // what it lacks meanwhile
		says                 string
		follows              bool // the part is added later
	}{
		"alarm, tags denied":                {deleteAlarm, deny("TagResource"), allow("TagResource"), alarm, `"Tags":{"relight"`, "created without tags", false},
		"alarm, a tag policy":               {deleteAlarm, fail("PutMetricAlarm", "TagPolicyException"), nothing, alarm, `"Tags":{"relight"`, "created without tags", false},
		"topic, tags denied":                {deleteTopic, deny("TagResource"), allow("TagResource"), topic, `"tags":{"relight"`, "created without tags", false},
		"topic, a tag policy":               {deleteTopic, fail("CreateTopic", "TagPolicy"), nothing, topic, `"tags":{"relight"`, "created without tags", false},
		"topic, its key":                    {deleteTopic, fail("CreateTopic", "KMSAccessDenied", "KMSAccessDenied"), nothing, topic, topicKey, "created without its key", true},
		"flow log, tags denied":             {deleteLog, deny("CreateTags"), allow("CreateTags"), home + " flow-log vpc-1 ", `"Tags":{"relight"`, "created without tags", true},
		"flow log, a tag policy":            {deleteLog, fail("CreateFlowLogs", "TagPolicyViolation"), nothing, home + " flow-log vpc-1 ", `"Tags":{"relight"`, "created without tags", true},
		"role, tags denied":                 {deleteRole, deny("TagRole"), allow("TagRole"), "role " + roleName, `"tags":{"relight"`, "created without tags", true},
		"role, boundary denied":             {deleteRole, deny("PutRolePermissionsBoundary"), allow("PutRolePermissionsBoundary"), "role " + roleName, boundary, "created without its permissions boundary", true},
		"role, boundary gone":               {deleteRole, fail("CreateRole", "NoSuchEntity", "NoSuchEntity"), nothing, "role " + roleName, boundary, "created without its permissions boundary", true},
		"role, tags and boundary denied":    {deleteRole, deny("TagRole", "PutRolePermissionsBoundary"), allow("TagRole", "PutRolePermissionsBoundary"), "role " + roleName, boundary, "created without tags, its permissions boundary", true},
		"role, a code that nobody recorded": {deleteRole, fail("CreateRole", "SomethingException"), nothing, "role " + roleName, `"tags":{"relight"`, "created without tags", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := deployed(t, `{"permissionsBoundary":"`+boundary+`"}`)
			w.policy("bounds", allowAll)
			w.sweep(app.Request{})
			if s := w.sweep(app.Request{}); s.Planned != 0 {
				t.Fatalf("at first a sweep plans %d: %v", s.Planned, unrestored(s))
			}
			has := func() string {
				for key, state := range w.State() {
					if strings.HasPrefix(key, tt.key) {
						return state
					}
				}
				return ""
			}
			if !strings.Contains(has(), tt.lacks) {
				t.Fatalf("at first it is %s, without %s", has(), tt.lacks)
			}
			tt.harm(w)
			tt.refuse(w)
			told := len(w.Messages())
			w.sweep(app.Request{})
			if state := has(); state == "" || !tt.follows && strings.Contains(state, tt.lacks) {
				t.Errorf("it is %q, want it without %s", state, tt.lacks)
			}
			if gaps := w.gaps(); len(gaps) > 0 {
				t.Errorf("not protected: %v", gaps)
			}
			if text := w.told(told) + w.log.String(); !strings.Contains(text, tt.says) {
				t.Errorf("people were notified of\n%s\nwithout %q", w.told(told), tt.says)
			}
			writes := len(w.Writes())
			if w.sweep(app.Request{}); !tt.follows && len(w.changes(writes)) > 0 {
				t.Errorf("another sweep writes %v", w.changes(writes))
			}
			tt.permit(w)
			w.sweep(app.Request{})
			if s := w.sweep(app.Request{}); s.Planned != 0 || s.Unrestored != 0 {
				t.Errorf("afterwards a sweep plans %d and leaves %v", s.Planned, unrestored(s))
			}
			if state := has(); tt.follows && !strings.Contains(state, tt.lacks) {
				t.Errorf("afterwards it is %s", state)
			}
		})
	}
}
