package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/bench"
	"github.com/relight-aws/relight/internal/catalog"
)

// stormed returns a healthy world in whose time storms pass, with the clients of one of its users.
func stormed(t *testing.T) *world {
	t.Helper()
	w := healthy(t, "")
	w.PageSize(0)
	w.sweep(app.Request{})
	w.timed()
	w.Latency, w.Drift = latency, latency/10
	return w
}

// user returns the clients of a user.
func (w *world) user(name string) awstest.Clients {
	return awstest.NewClients(w.ConfigOf("arn:aws:iam::" + account + ":user/" + name))
}

// settled waits for a cloud to have handled everything, and reports what is not as it was.
func (w *world) settled(t *testing.T, cloud *bench.Cloud, was map[string]string) {
	t.Helper()
	if !cloud.Settle(time.Hour) {
		t.Error("it does not end")
	}
	cloud.Close()
	if diff := cmp.Diff(was, w.State()); diff != "" {
		t.Errorf("not restored (-before +after):\n%s", diff)
	}
}

// Attacks that come one after the other wait for nothing, even while the notifications of
// those before are put off.
func TestSingleAttacksDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stormed(t)
		was, cloud := w.State(), w.cloud()
		by := w.user("Alice")
		for i := range 12 {
			name := nth(ours(), i)
			must(by.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}}))
			time.Sleep(bench.EventDelay + 300*time.Millisecond)
			if !slices.Contains(w.Alarms(home), name) {
				t.Errorf("attack %d: %s is not back", i, name)
			}
		}
		w.settled(t, cloud, was)
	})
}

// Whoever takes part in a storm is named, and few messages say so: each of the two instances
// sends one at the beginning and one at the end, and one for a caller whom only it saw.
func TestEveryCallerOfAStormIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stormed(t)
		was, cloud, told := w.State(), w.cloud(), len(w.Messages())
		users := []string{"Alice", "Bob", "Carol"}
		for i := range 300 {
			by := w.user(users[min(i/50, 2)])
			_, _ = by.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{nth(ours(), i)}})
			time.Sleep(40 * time.Millisecond)
		}
		w.settled(t, cloud, was)
		said := w.told(told)
		for _, u := range users {
			if !strings.Contains(said, "user/"+u) {
				t.Errorf("no message names %s:\n%s", u, said)
			}
		}
		if n := len(w.Messages()) - told; n > mostMessages+2 || strings.Contains(said, "NOT") {
			t.Errorf("%d messages:\n%s", n, said)
		}
	})
}

// Whoever gives a session the name of one of relight's hides nothing by it while events of
// something else are put off.
func TestBorrowedSessionInAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stormed(t)
		was, cloud := w.State(), w.cloud()
		by := w.user("Alice")
		borrowed := awstest.NewClients(w.ConfigOf("arn:aws:sts::" + account + ":assumed-role/intruder/relight-loggroups"))
		for i := range 60 {
			must(by.Logs.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(foreignGroup), RetentionInDays: aws.Int32([]int32{1, 3}[i%2])}))
			if i == 40 {
				must(borrowed.Logs.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String(rootUsage)}))
			}
			time.Sleep(50 * time.Millisecond)
		}
		must(by.Logs.DeleteRetentionPolicy(t.Context(), &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: aws.String(foreignGroup)}))
		w.settled(t, cloud, was)
	})
}

// A check that finds restored what was put off says who did it, if nobody else has: the run
// that restored it knew of other callers. First it leaves that to the process of this run,
// which may get the message when it comes back.
func TestUndoneByOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stormed(t)
		cloud := w.cloud()
		body := `{"relight-deferral":{"since":"2000-01-01T00:00:00Z","events":[` + string(events.Read("DeleteAlarms.one.json")) + `]}}`
		for _, want := range []int{1, 0} { // not twice
			told, asked := len(w.Messages()), cloud.Calls()["relight-alarms"]["SendMessage"]
			cloud.Send(body)
			if !cloud.Settle(time.Hour) {
				t.Error("it does not end")
			}
			if got := len(w.Messages()) - told; got != want || got > 0 && !strings.Contains(w.told(told), "alarm deleted by user/Alice: undone") {
				t.Errorf("%d messages, want %d: %s", got, want, w.told(told))
			}
			if n := cloud.Calls()["relight-alarms"]["SendMessage"] - asked; want == 1 && n == 0 || n > 3 {
				t.Errorf("asked %d times", n)
			}
		}
		cloud.Close()
	})
}

// An event needs no check if a check of the same that began after its call found or made
// everything right, and people have read who called. What was put off may stand for events
// up to the time when it was due.
func TestCallsBeforeACheck(t *testing.T) {
	const second = time.Second
	for name, tt := range map[string]struct {
		by, alarm  string
		made, due  time.Duration // after the attack; the check begins 5 s after it
		putOff     bool
		wantChecks bool
	}{
		"before the check":            {by: "Alice", alarm: rootUsage, made: second},
		"too short before the check":  {by: "Alice", alarm: rootUsage, made: 3 * second, wantChecks: true},
		"after the check":             {by: "Alice", alarm: rootUsage, made: 6 * second, wantChecks: true},
		"somebody else":               {by: "Bob", alarm: rootUsage, made: second, wantChecks: true},
		"something else":              {by: "Alice", alarm: "billing", made: second, wantChecks: true},
		"put off until the check":     {by: "Alice", alarm: rootUsage, made: second, putOff: true, due: 4 * second},
		"put off beyond the check":    {by: "Alice", alarm: rootUsage, made: second, putOff: true, due: 6 * second, wantChecks: true},
		"put off, nobody knows until": {by: "Alice", alarm: rootUsage, made: second, putOff: true, due: -1, wantChecks: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := stormed(t)
				attack := time.Now()
				w.deleteAlarms(ours()...)
				time.Sleep(5 * second)
				one := w.instance("alarms")
				must(one.HandleEvent(t.Context(), batch(deletionAt(attack, "Alice", ours()...))))
				time.Sleep(3 * second)
				body := deletionAt(attack.Add(tt.made), tt.by, tt.alarm)
				if tt.putOff {
					due := ""
					if tt.due > 0 {
						due = fmt.Sprintf(`"due":%q,`, attack.Add(tt.due).UTC().Format(time.RFC3339Nano))
					}
					body = fmt.Appendf(nil, `{"relight-deferral":{"since":%q,%s"events":[%s]}}`, attack.UTC().Format(time.RFC3339Nano), due, body)
				}
				before := w.Calls()
				must(one.HandleEvent(t.Context(), batch(body)))
				if got := w.Calls().Since(before)["DescribeAlarms"] > 0; got != tt.wantChecks {
					t.Errorf("checked: %t, want %t", got, tt.wantChecks)
				}
			})
		})
	}
}

// If nothing can be put off, everything is checked at once.
func TestStormWithoutTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stormed(t)
		w.Deny("SendMessage")
		was, cloud := w.State(), w.cloud()
		by := w.user("Alice")
		for i := range 60 {
			_, _ = by.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{nth(ours(), i)}})
			time.Sleep(50 * time.Millisecond)
		}
		w.settled(t, cloud, was)
		if !strings.Contains(w.log.String(), "not put off") {
			t.Error("the log does not say that nothing could be put off")
		}
	})
}

// A storm of any course is undone in the end, also if AWS ends the processes of a function in
// the middle of it, with all that they have in memory.
func TestAnyStormIsUndone(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		calls := rapid.SliceOfN(rapid.IntRange(0, len(tamperings)-1), 1, 80).Draw(r, "calls")
		gaps := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{0, 20 * time.Millisecond, 300 * time.Millisecond, 2 * time.Second, 9 * time.Second}), len(calls), len(calls)).Draw(r, "gaps")
		life := rapid.SampledFrom([]int{1, 3, 20, 1000}).Draw(r, "batches that a process lives for")
		failed := ""
		synctest.Test(t, func(t *testing.T) {
			w := stormed(t)
			was := w.State()
			cloud := w.cloudOf(func(k catalog.Kind) bench.Handler {
				a, batches := w.instance(catalog.Function(k)), 0
				return func(ctx context.Context, raw json.RawMessage) (any, error) {
					if batches++; batches%life == 0 {
						a = w.instance(catalog.Function(k))
					}
					return a.HandleEvent(ctx, raw)
				}
			})
			by := w.user("Alice")
			for i, c := range calls {
				tamperings[c](w, by, i)
				time.Sleep(gaps[i])
			}
			if !cloud.Settle(time.Hour) {
				failed = "it does not end"
			}
			cloud.Close()
			if diff := cmp.Diff(was, w.State()); diff != "" && failed == "" {
				w.sweep(app.Request{}) // what twelve repairs in ten minutes left to the sweep
				if !strings.Contains(w.log.String(), "left to the sweep") {
					failed = "not restored (-before +after):\n" + diff
				}
			}
		})
		if failed != "" {
			r.Fatal(failed)
		}
	})
}

// A second attack on the same alarm is reported, too, although the first was a moment ago.
func TestEachAttackIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stormed(t)
		was, cloud := w.State(), w.cloud()
		by := w.user("Alice")
		for i := range 5 {
			told := len(w.Messages())
			must(by.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{rootUsage}}))
			time.Sleep(25 * time.Second)
			if said := w.told(told); !strings.Contains(said, "Restored: alarm "+rootUsage) || strings.Contains(said, "further calls") {
				t.Errorf("attack %d: %q", i, said)
			}
		}
		w.settled(t, cloud, was)
	})
}

// The log says of each filter what became of it, also if a run leaves some to others.
func TestLogOfAPart(t *testing.T) {
	w := healthy(t, "")
	for _, name := range ours() {
		w.deleteFilter(name)
	}
	w.log = lockedBuffer{}
	raw := []byte(call("aws.logs", "DeleteMetricFilter", `"userIdentity":{"type":"IAMUser","arn":"`+attacker+`"},"requestParameters":{"logGroupName":"`+trailGroup+`","filterName":"`+ours()[7]+`"}`))
	must(w.instance("loggroups").HandleEvent(t.Context(), batch(raw)))
	for line := range strings.Lines(w.log.String()) {
		var l struct{ Msg, Target, Outcome string }
		if must(0, json.Unmarshal([]byte(line), &l)); l.Msg != "action" {
			continue
		}
		if restored := l.Target == ours()[7]; restored != (l.Outcome == "restored") {
			t.Errorf("%s: %s", l.Target, l.Outcome)
		}
	}
}

// Whoever restores one alarm after the other does not keep relight from restoring the rest.
func TestYieldingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stormed(t)
		var all []*cloudwatch.PutMetricAlarmInput
		for _, name := range ours() {
			w.changeAlarm(name, func(in *cloudwatch.PutMetricAlarmInput) { all = append(all, in) })
		}
		w.deleteAlarms(ours()...)
		go func() {
			for i, in := range all {
				time.Sleep([]time.Duration{100 * time.Millisecond, 1400 * time.Millisecond, 3 * time.Second, 5 * time.Second, 10 * time.Second}[min(i, 4)])
				w.putAlarm(in)
			}
		}()
		event := events.Read("DeleteAlarms.all.json")
		raw := must(json.Marshal(lambdaevents.SQSEvent{Records: []lambdaevents.SQSMessage{{MessageId: "m", Body: `{"relight-deferral":{"since":"2026-03-03T12:00:00Z","events":[` + string(event) + `]}}`}}}))
		began := time.Now()
		must(w.instance("alarms").HandleEvent(t.Context(), raw))
		if took := time.Since(began); took > 50*time.Second {
			t.Errorf("it took %v", took)
		}
		for _, name := range ours() {
			if !slices.Contains(w.Alarms(home), name) {
				t.Errorf("%s is not back", name)
			}
		}
		time.Sleep(4 * time.Minute) // until the other is done
	})
}

// A message that somebody else put into the queue leads to a check and to nothing else: it
// cannot say that something is restored that is not.
func TestForgedDeferral(t *testing.T) {
	deferral := func(target string, event []byte) []byte {
		raw := must(json.Marshal(map[string]any{"relight-deferral": map[string]any{
			"since": "2026-03-03T12:00:00Z", "events": []json.RawMessage{event}, "more": 7,
			"deeds": []any{map[string]any{"account": account, "region": home, "kind": "alarms", "thing": "alarm", "target": target, "do": "put alarm " + target, "reason": "forged"}},
		}}))
		return must(json.Marshal(lambdaevents.SQSEvent{Records: []lambdaevents.SQSMessage{{MessageId: "m", Body: string(raw), Attributes: map[string]string{"ApproximateReceiveCount": "1"}}}}))
	}
	synctest.Test(t, func(t *testing.T) {
		w := stormed(t)
		w.deleteAlarms(rootUsage)
		w.Deny("PutMetricAlarm")
		told := len(w.Messages())
		if _, err := w.instance("alarms").HandleEvent(t.Context(), deferral(rootUsage, events.Read("DeleteAlarms.one.json"))); err != nil {
			t.Fatal(err)
		}
		if said := w.told(told); strings.Contains(said, "Restored") || strings.Contains(said, "forged") || !strings.Contains(said, "NOT undone") {
			t.Errorf("messages: %s", said)
		}
	})
	synctest.Test(t, func(t *testing.T) { // about another alarm, which is healthy
		w := stormed(t)
		w.deleteAlarms("relight-iam-changes")
		told := len(w.Messages())
		if _, err := w.instance("alarms").HandleEvent(t.Context(), deferral("relight-iam-changes", events.Read("DeleteAlarms.one.json"))); err != nil {
			t.Fatal(err)
		}
		if said := w.told(told); strings.Contains(said, "Restored: alarm relight-iam-changes") || strings.Contains(said, "forged") {
			t.Errorf("messages: %s", said)
		}
	})
	synctest.Test(t, func(t *testing.T) { // an event of another account inside
		w := stormed(t)
		before := w.Calls()
		other := []byte(strings.ReplaceAll(string(events.Read("DeleteAlarms.one.json")), account, "444455556666"))
		if _, err := w.instance("alarms").HandleEvent(t.Context(), deferral(rootUsage, other)); err != nil {
			t.Fatal(err)
		}
		if used := w.Calls().Since(before); used.Total() > 0 {
			t.Errorf("calls %v, want none", used)
		}
	})
	for name, numbers := range map[string]string{
		"below zero": `"round":-7,"more":-1`, "far off": `"round":99999999,"more":99999999999`,
		"before all time": `"since":"0001-01-01T00:00:00Z"`, "in the future": `"since":"2999-01-01T00:00:00Z"`,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := stormed(t)
			was, cloud := w.State(), w.cloud()
			if !strings.Contains(numbers, "since") {
				numbers += `,"since":"` + time.Now().Format(time.RFC3339) + `"`
			}
			by := w.user("Alice")
			for i := range 100 {
				if i == 50 { // in the middle of a storm
					cloud.Send(`{"relight-deferral":{` + numbers + `,"events":[` + string(events.Read("DeleteAlarms.one.json")) + `]}}`)
				}
				_, _ = by.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{nth(ours(), i)}})
				time.Sleep(50 * time.Millisecond)
			}
			w.settled(t, cloud, was)
			if failed := cloud.Failed(); len(failed) > 0 {
				t.Errorf("%s: %v", name, failed)
			}
		})
	}
	for name, body := range map[string]string{"no event": `{"relight-deferral":{"events":["x"]}}`, "no list": `{"relight-deferral":{}}`, "a number": `{"relight-deferral":3}`} {
		w := healthy(t, "")
		raw := must(json.Marshal(lambdaevents.SQSEvent{Records: []lambdaevents.SQSMessage{{MessageId: "m", Body: body}}}))
		res, err := w.instance("alarms").HandleEvent(t.Context(), raw)
		if again := res.(lambdaevents.SQSEventResponse).BatchItemFailures; err != nil || len(again) != 1 {
			t.Errorf("%s: %v, %v; want it in the dead-letter queue", name, again, err)
		}
	}
}
