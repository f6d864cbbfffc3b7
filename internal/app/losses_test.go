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
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
)

// deletionOf returns the event of a user's call that deletes alarms now.
func deletionOf(user string, alarms ...string) []byte { return deletionAt(time.Now(), user, alarms...) }

// deletionAt returns the event of a user's call that deleted alarms at a time.
func deletionAt(at time.Time, user string, alarms ...string) []byte {
	return []byte(call("aws.monitoring", "DeleteAlarms", fmt.Sprintf(`"eventTime":%q,"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/%s"},"requestParameters":{"alarmNames":["%s"]}`,
		at.UTC().Format(time.RFC3339), account, user, strings.Join(alarms, `","`))))
}

// letters returns where to find what functions send to queues from now on.
func (w *world) letters() *[]string {
	var sent []string
	w.Watch = func(c awstest.Call) {
		if in, ok := c.In.(*sqs.SendMessageInput); ok && c.Err == nil {
			sent = append(sent, aws.ToString(in.MessageBody))
		}
	}
	return &sent
}

// Calls about many other names in a storm hide no call that does harm.
func TestManyNamesHideNothing(t *testing.T) {
	for _, n := range []int{60, 140, 250} {
		synctest.Test(t, func(t *testing.T) {
			w := stormed(t)
			name := func(i int) string { return fmt.Sprintf("other-%03d", i) }
			for i := range n {
				w.createGroup(home, name(i))
				w.putRetention(home, name(i), 3)
			}
			was, cloud, told := w.State(), w.cloud(), len(w.Messages())
			by := w.user("Alice")
			retention := func(group string, days int32) {
				must(by.Logs.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(group), RetentionInDays: aws.Int32(days)}))
				time.Sleep(15 * time.Millisecond)
			}
			for i := range n {
				retention(name(i), 3)
			}
			must(by.Logs.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String(rootUsage)}))
			retention(trailGroup, 1)
			if !cloud.Settle(time.Hour) {
				t.Error("it does not end")
			}
			cloud.Close()
			if diff := cmp.Diff(was, w.State()); diff != "" {
				t.Errorf("%d names: not restored (-before +after):\n%s", n, diff)
			}
			if len(w.Messages()) == told {
				t.Errorf("%d names: nobody is notified", n)
			}
		})
	}
}

// Of attacks that are no storm, every restored thing is in a message.
func TestEveryDeletionIsSaid(t *testing.T) {
	for _, gap := range []time.Duration{1500 * time.Millisecond, 2 * time.Second, 3 * time.Second, 5 * time.Second, 8 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			w := stormed(t)
			was, cloud, told := w.State(), w.cloud(), len(w.Messages())
			by := w.user("Alice")
			for _, name := range ours()[:12] {
				must(by.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}}))
				time.Sleep(gap)
			}
			w.settled(t, cloud, was)
			said := w.told(told)
			for _, name := range ours()[:12] {
				if !strings.Contains(said, name) {
					t.Errorf("one each %v: no message says that %s was restored", gap, name)
				}
			}
		})
	}
}

// A process that waits for another one, which has ended, or only exists in a message that
// somebody made, restores everything in the time that Lambda gives it.
func TestFollowerOfTheDead(t *testing.T) {
	for _, helped := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := stormed(t)
			all := slices.DeleteFunc(w.Alarms(home), func(name string) bool { return !strings.HasPrefix(name, "relight-") })
			if helped { // somebody restores one alarm now and then, to keep it waiting
				all = ours()
				var back []*cloudwatch.PutMetricAlarmInput
				for _, name := range all[:3] {
					w.changeAlarm(name, func(in *cloudwatch.PutMetricAlarmInput) { put := *in; back = append(back, &put) })
				}
				go func() {
					for _, in := range back {
						time.Sleep(10 * time.Second)
						w.putAlarm(in)
					}
				}()
			}
			w.deleteAlarms(all...)
			body := fmt.Sprintf(`{"relight-deferral":{"since":"2026-03-03T12:00:00Z","from":"0","whole":true,"events":[%s]}}`, deletionOf("Alice", all[0]))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			must(w.instance("alarms").HandleEvent(ctx, received(t, "1", []byte(body))))
			for _, name := range all {
				if !slices.Contains(w.Alarms(home), name) {
					t.Errorf("%s is not back", name)
				}
			}
			time.Sleep(time.Minute)
		})
	}
}

// If nothing can be put off and the repair fails for a while, SQS delivers the event again.
func TestNothingPutOffAndNoRepair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stormed(t)
		w.deleteAlarms(rootUsage)
		w.Deny("SendMessage")
		w.Fail("PutMetricAlarm", slices.Repeat([]string{"InternalServiceFault"}, 9)...)
		res := must(w.instance("alarms").HandleEvent(t.Context(), received(t, "1", events.Read("AlarmChange.delete.json"))))
		if again := res.(lambdaevents.SQSEventResponse).BatchItemFailures; len(again) != 1 {
			t.Errorf("%v is delivered again, want the message", again)
		}
	})
}

// If a part of a repair fails for a while, no message says that all is well.
func TestPartFailsForAWhile(t *testing.T) {
	w := healthy(t, "")
	names := ours()[:2]
	w.deleteAlarms(names...)
	w.Fail("PutMetricAlarm", append([]string{""}, slices.Repeat([]string{"InternalServiceFault"}, 9)...)...)
	told := len(w.Messages())
	res := must(w.instance("alarms").HandleEvent(t.Context(), received(t, "1", deletionOf("Alice", names...))))
	said := w.told(told)
	if again := res.(lambdaevents.SQSEventResponse).BatchItemFailures; len(again) != 1 || strings.Contains(said, "everything is back") || !strings.Contains(said, "undone in part") || !strings.Contains(said, "1 more") {
		t.Errorf("%v is delivered again, and people read:\n%s", again, said)
	}
}

// What has waited keeps its age, whatever it is put off with.
func TestAgeOfADeferral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stormed(t)
		sent := w.letters()
		one := w.instance("alarms")
		var l struct {
			Deferral struct {
				Since, Due time.Time
				Mail       bool
			} `json:"relight-deferral"`
		}
		latest := func() bool {
			if len(*sent) > 0 {
				l.Deferral.Mail = false
				must(0, json.Unmarshal([]byte((*sent)[len(*sent)-1]), &l))
			}
			return len(*sent) > 0 && !l.Deferral.Mail
		}
		for i := 0; !latest(); i++ {
			w.deleteAlarms(ours()[i])
			must(one.HandleEvent(t.Context(), batch(deletionOf("Alice", ours()[i]))))
		}
		time.Sleep(time.Until(l.Deferral.Due.Add(time.Second / 2))) // another process got it
		must(one.HandleEvent(t.Context(), batch(deletionOf("Dora", ours()[7]))))
		old := time.Now().Add(-70 * time.Second).UTC().Truncate(time.Second)
		body := fmt.Sprintf(`{"relight-deferral":{"since":%q,"from":"B","whole":true,"events":[%s]}}`, old.Format(time.RFC3339), deletionOf("Bob", ours()[3]))
		before := len(*sent)
		must(one.HandleEvent(t.Context(), batch([]byte(body), deletionOf("Carol", ours()[4]))))
		if len(*sent) == before {
			t.Fatal("nothing is put off")
		}
		if latest(); l.Deferral.Since.After(old) {
			t.Errorf("what waits since %v is said to wait since %v", old, l.Deferral.Since)
		}
	})
}

// Large events in one storm do not keep a process from putting the next ones off.
func TestLargeEventsAndTheNextStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stormed(t)
		one := w.instance("alarms")
		var long []string
		for i := range 100 {
			long = append(long, fmt.Sprintf("%03d-%s", i, strings.Repeat("x", 246)))
		}
		for i := range 40 {
			must(one.HandleEvent(t.Context(), batch(deletionOf(fmt.Sprintf("user-%d", i), long...))))
		}
		time.Sleep(time.Hour)
		w.log = lockedBuffer{}
		sent := w.letters()
		for i := range 12 {
			w.deleteAlarms(nth(ours(), i))
			must(one.HandleEvent(t.Context(), batch(deletionOf("Alice", nth(ours(), i)))))
		}
		if refused := strings.Count(w.log.String(), "not put off"); refused > 0 || len(*sent) == 0 {
			t.Errorf("%d messages sent, %d refused", len(*sent), refused)
		}
	})
}

// A read that does not show a call of seconds ago lets its event be dropped: the sweep restores
// what it deleted.
func TestLateRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stormed(t)
		one, name := w.instance("alarms"), ours()[0]
		called := time.Now()
		time.Sleep(5 * time.Second)
		w.deleteAlarms(name)
		must(one.HandleEvent(t.Context(), batch(deletionOf("Alice", name)))) // which people are notified of
		w.deleteAlarms(name)                                                 // as if by the call before, which the check did not show
		calls := w.Calls()
		must(one.HandleEvent(t.Context(), batch(deletionAt(called, "Alice", name))))
		if made := w.Calls().Since(calls); len(made) > 0 {
			t.Fatalf("the event is not dropped: %v", made)
		}
		w.sweep(app.Request{})
		if !slices.Contains(w.Alarms(home), name) {
			t.Errorf("%s is not back", name)
		}
	})
}
