package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/report"
)

const trailKey = "trail " + trailARN

// encrypted gives the trail every field that a trail can have, before relight
// first observes it.
func encrypted(w *world) {
	w.AddKey(auditKey)
	w.updateTrail(cloudtrail.UpdateTrailInput{
		KmsKeyId: aws.String(auditKey), S3KeyPrefix: aws.String("audit"), SnsTopicName: aws.String(w.AddTrailTopic("delivered")),
	})
	w.putSelectors("audit", cloudtrailtypes.EventSelector{
		DataResources: []cloudtrailtypes.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3:::audited/"}}},
	})
}

// relight restores a trail with every field that it had, however it was
// stripped or deleted, and whether an event or the sweep led to the repair.
func TestTrailComesBack(t *testing.T) {
	t.Parallel()
	deletions := map[string]func(*world){
		"stripped":             func(w *world) { w.updateTrail(stripped) },
		"stripped and stopped": func(w *world) { w.updateTrail(stripped); w.stopLogging("audit") },
		"its topic taken": func(w *world) {
			w.updateTrail(cloudtrail.UpdateTrailInput{SnsTopicName: aws.String("")})
		},
		"deleted": func(w *world) { w.deleteTrail("audit") },
		"deleted with its log group": func(w *world) {
			w.deleteTrail("audit")
			w.deleteGroup(home, trailGroup)
		},
		"stripped, and its log group deleted": func(w *world) {
			w.updateTrail(stripped)
			w.deleteGroup(home, trailGroup)
		},
	}
	for name, do := range deletions {
		for _, by := range []string{"DeleteTrail.arn.json", "the sweep"} {
			t.Run(name+" by "+by, func(t *testing.T) {
				w := deployed(t, few)
				encrypted(w)
				w.sweep(app.Request{})
				before := w.State()
				do(w)
				if by == "the sweep" {
					w.sweep(app.Request{})
				} else if again, errs := w.send(events.Read(by), true); len(again)+len(errs) > 0 {
					t.Fatal(again, errs)
				}
				want, got := before[trailKey], w.State()[trailKey]
				if strings.HasPrefix(name, "deleted") { // the same selection, but the management events are in a selector without the data events
					want, got = strings.SplitN(want, `"logging"`, 2)[1], strings.SplitN(got, `"logging"`, 2)[1]
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-before +after):\n%s", diff)
				}
				if w.State()[home+" log-group "+trailGroup] == "" {
					t.Error("its log group is missing")
				}
				out := must(w.CloudTrail.GetEventSelectors(t.Context(), &cloudtrail.GetEventSelectorsInput{TrailName: aws.String("audit")}))
				if s := out.EventSelectors[0]; !*s.IncludeManagementEvents || len(s.DataResources) != 1 {
					t.Errorf("event selectors %+v", out.EventSelectors)
				}
				w.sweep(app.Request{})
				if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 {
					t.Errorf("a sweep afterwards plans %d, finds %d: %+v", s.Planned, s.Findings, s)
				}
			})
		}
	}
}

// An event and every sweep report a redirected trail with the caller who
// changed it. None of them changes what relight remembers, so relight restores
// the old destination if the trail is deleted later.
func TestPoisoning(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	remembered := w.memory()
	bucket := aws.ToString(w.trail().S3BucketName)
	w.AddBucket("elsewhere")
	w.updateTrail(cloudtrail.UpdateTrailInput{S3BucketName: aws.String("elsewhere")})
	told := len(w.Messages())
	w.send(events.Read("UpdateTrail.bucket.json"), true)
	if m := w.Messages()[told:]; len(m) != 1 || !strings.Contains(m[0].Text, ":user/Alice") ||
		!strings.Contains(m[0].Text, "its bucket is elsewhere; the remembered bucket is "+bucket) {
		t.Errorf("messages %+v", m)
	}
	for range 3 {
		if s := w.sweep(app.Request{}); s.Findings != 1 || s.Planned != 0 {
			t.Errorf("a sweep finds %d and plans %d, want one finding: %+v", s.Findings, s.Planned, s)
		}
	}
	if got := *w.trail().S3BucketName; got != "elsewhere" {
		t.Errorf("bucket %s: it is not relight's to change back", got)
	}
	w.stopLogging("audit") // repairs do not change the memory either
	w.send(events.Read("StopLogging.name.json"), true)
	w.deleteTrail("audit")
	w.send(events.Read("DeleteTrail.name.json"), true)
	if got := *w.trail().S3BucketName; got != bucket {
		t.Errorf("restored with bucket %s, want %s", got, bucket)
	}
	if diff := cmp.Diff(remembered, w.memory()); diff != "" {
		t.Errorf("memory changed (-before +after):\n%s", diff)
	}
	if s := w.sweep(app.Request{}); s.Findings != 0 || s.Planned != 0 {
		t.Errorf("afterwards %+v", s)
	}
}

// A sweep that finds a redirected trail names the caller who changed it if
// CloudTrail knows the caller. It completes if CloudTrail does not.
func TestWhoMovedTheTrail(t *testing.T) {
	t.Parallel()
	record := func(name, who, code string) string {
		return `{"eventTime":"2026-03-03T13:00:00Z","sourceIPAddress":"192.0.2.10","errorCode":"` + code + `","userIdentity":{"arn":"` + who +
			`"},"requestParameters":{"name":"` + name + `","s3BucketName":"elsewhere"}}`
	}
	const mallory = "arn:aws:iam::111122223333:user/Mallory"
	w := healthy(t, few)
	w.AddBucket("elsewhere")
	w.updateTrail(cloudtrail.UpdateTrailInput{S3BucketName: aws.String("elsewhere")})
	w.AddToHistory("UpdateTrail", record("audit", mallory, ""))
	w.AddToHistory("UpdateTrail", record("audit", "arn:aws:iam::111122223333:user/Refused", "AccessDenied"))
	w.AddToHistory("UpdateTrail", record("other", "arn:aws:iam::111122223333:user/Other", ""))
	w.AddToHistory("UpdateTrail", record(trailARN, "arn:aws:sts::111122223333:assumed-role/r/relight-trails", ""))
	for _, known := range []bool{true, false} {
		if !known {
			w.Deny("LookupEvents")
		}
		s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Trails}})
		said := s.Findings == 1 && strings.Contains(s.Reports[0].Findings[0].Problem, "; changed by "+mallory+" from 192.0.2.10 at 2026-03-03T13:00:00Z")
		if said != known || s.Findings != 1 {
			t.Errorf("known %t: %+v", known, s.Reports)
		}
	}
}

// relight never moves to a second trail that an intruder creates, whatever
// happens to the first trail.
func TestDecoy(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	before := w.State()
	w.AddTrailTo("aaa", "decoy")
	w.updateTrail(stripped)
	for _, name := range []string{"UpdateTrail.stripped.json", "DeleteLogGroup.trail.json", "DeleteMetricFilter.ours.json", "StopLogging.foreign.json"} {
		w.send(events.Read(name), true)
	}
	w.sweep(app.Request{})
	out := must(w.Logs.DescribeMetricFilters(t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String("decoy")}))
	if len(out.MetricFilters) > 0 {
		t.Errorf("%d filters on the decoy", len(out.MetricFilters))
	}
	if diff := cmp.Diff(before[trailKey], w.State()[trailKey]); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

// If the configuration or a person accepts an intended change, relight restores
// the trail with that change.
func TestAccept(t *testing.T) {
	t.Parallel()
	accept := map[string]func(*world){
		"by a person": func(w *world) {
			told := len(w.Messages())
			if what := w.accept(); len(what.Changes) != 1 || what.Changes[0].Name != "bucket" || what.Changes[0].Now != "elsewhere" {
				w.t.Fatalf("%+v; want the bucket", what)
			}
			if m := w.Messages()[told:]; len(m) != 1 || !strings.Contains(m[0].Text, "bucket elsewhere") {
				w.t.Errorf("messages %+v, want one about what was accepted", m)
			}
			if what := w.accept(); len(what.Changes) != 0 {
				w.t.Errorf("%+v; want nothing left to accept", what)
			}
		},
		"by the configuration": func(w *world) { w.config.Trail.Bucket = "elsewhere" },
	}
	for name, do := range accept {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, few)
			w.AddBucket("elsewhere")
			w.updateTrail(cloudtrail.UpdateTrailInput{S3BucketName: aws.String("elsewhere")})
			if s := w.sweep(app.Request{}); s.Findings != 1 {
				t.Errorf("%d findings, want one", s.Findings)
			}
			do(w)
			if s := w.sweep(app.Request{}); s.Findings != 0 {
				t.Errorf("%d findings, want none: %+v", s.Findings, s)
			}
			w.config.Trail.Bucket = ""
			w.deleteTrail("audit")
			w.send(events.Read("DeleteTrail.name.json"), true)
			if got := *w.trail().S3BucketName; got != "elsewhere" {
				t.Errorf("restored with bucket %s, want elsewhere", got)
			}
		})
	}
}

// The sweep reports a memory that relight cannot use. Repairs that need no
// memory still work, and a repair that needs it says why it failed.
func TestUnusableMemory(t *testing.T) {
	t.Parallel()
	spoil := map[string]func(*world){
		"denied":   func(w *world) { w.Deny("GetParameterHistory") },
		"spoilt":   func(w *world) { w.putMemory("{") },
		"a stolen": func(w *world) { w.putMemory(strings.ReplaceAll(w.memory(), account, other)) },
	}
	for name, do := range spoil {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, few)
			do(w)
			writes := len(w.Writes())
			s := w.sweep(app.Request{})
			over := slices.ContainsFunc(w.Writes()[writes:], func(w awstest.Write) bool { return w.Target == "/relight/memory/trail" })
			findings := 1
			if name == "denied" { // every memory of the sweep
				findings = 2
			}
			if s.Findings != findings || s.Planned != 0 || over {
				t.Errorf("%d findings, %d planned, writes %v; want a finding of each memory, and no write to the memory", s.Findings, s.Planned, w.Writes()[writes:])
			}
			w.stopLogging("audit")
			w.send(events.Read("StopLogging.name.json"), true)
			if !w.recording(trailARN) {
				t.Error("the trail was not started")
			}
			w.deleteTrail("audit")
			told := len(w.Messages())
			if again, errs := w.send(events.Read("DeleteTrail.name.json"), true); len(again)+len(errs) > 0 {
				t.Errorf("%v, %v: want no second delivery, because it cannot help", again, errs)
			}
			if m := w.Messages()[told:]; len(m) != 1 || !strings.Contains(m[0].Text, "recall /relight/memory/trail") {
				t.Errorf("messages %+v, want one about the memory", m)
			}
		})
	}
	t.Run("throttled", func(t *testing.T) {
		w := healthy(t, few)
		w.stopLogging("audit")
		w.Fail("GetParameterHistory", "ThrottlingException")
		if again, _ := w.send(events.Read("StopLogging.name.json"), true); len(again) != 1 {
			t.Errorf("%v to deliver again, want the message", again)
		}
	})
}

// relight reports an error that no retry can fix once, with what to do.
func TestTrailRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		arrange func(*world)
		fail    string // error code of CreateTrail
		says    string
		logs    bool // relight restores the trail without the rejected field
	}{
		"bucket gone":    {arrange: func(w *world) { w.RemoveBucket("audit-" + account) }, says: "trail.bucket"},
		"role gone":      {arrange: func(w *world) { w.RemoveRole("arn:aws:iam::" + account + ":role/audit-delivery") }, says: "trail.roleArn", logs: true},
		"policy refuses": {fail: "InsufficientS3BucketPolicyException", says: "allow CloudTrail to write to the bucket"},
		"key":            {fail: "KmsException", says: "check that the trail's key exists, is enabled"},
		"organisation":   {fail: "NotOrganizationMasterAccountException", says: "only the management account"},
		"features":       {fail: "OrganizationNotInAllFeaturesModeException", says: "enable all features"},
		"denied":         {fail: "AccessDeniedException", says: "allow cloudtrail:CreateTrail on " + trailARN},
		"no room": {
			arrange: func(w *world) {
				for _, name := range []string{"b-1", "b-2", "b-3", "b-4"} {
					w.AddTrail(cloudtrailtypes.Trail{
						TrailARN: aws.String(strings.ReplaceAll(trailARN, "audit", name)), HomeRegion: aws.String(home),
						S3BucketName: aws.String("audit-" + account), IsMultiRegionTrail: aws.Bool(false),
					})
				}
			},
			says: "maximum number of trails",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, few)
			w.deleteTrail("audit")
			if tt.arrange != nil {
				tt.arrange(w)
			}
			if tt.fail != "" {
				w.Fail("CreateTrail", tt.fail)
			}
			told := len(w.Messages())
			if again, errs := w.send(events.Read("DeleteTrail.name.json"), true); len(again)+len(errs) > 0 {
				t.Errorf("%v, %v: want no second delivery, because it cannot help", again, errs)
			}
			if m := w.Messages()[told:]; len(m) != 1 || !strings.Contains(m[0].Text, tt.says) {
				t.Errorf("messages %+v, want one that says %q", m, tt.says)
			}
			status, err := w.CloudTrail.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: aws.String(trailARN)})
			if logs := err == nil && *status.IsLogging; logs != tt.logs {
				t.Errorf("logs without the rejected field: %t, want %t", logs, tt.logs)
			}
		})
	}
}

// A failed delivery is a finding that quotes CloudTrail's error.
func TestUndelivered(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.RemoveBucket("audit-" + account)
	s := w.sweep(app.Request{})
	if s.Findings != 1 || !slices.ContainsFunc(s.Reports, func(r report.View) bool {
		return len(r.Findings) == 1 && strings.Contains(r.Findings[0].Problem, "NoSuchBucket")
	}) {
		t.Errorf("%+v", s.Reports)
	}
}

// CloudTrail calls a disabled key an error of its delivery too. Its code is not one
// of Amazon S3, and the remedy is about the key.
func TestUndeliveredForTheKey(t *testing.T) {
	t.Parallel()
	w := deployed(t, few)
	encrypted(w)
	w.sweep(app.Request{})
	must(w.KMS.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: aws.String(auditKey)}))
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Trails}})
	if f := s.Reports[0].Findings; s.Planned != 0 || len(f) != 1 || !strings.Contains(f[0].Problem, "KMS.DisabledException") || !strings.Contains(f[0].Remedy, "key") {
		t.Errorf("planned %d, findings %+v", s.Planned, f)
	}
}

// A configured log group to which no trail delivers is a mistake in the
// configuration, and relight creates nothing for it.
func TestMisconfiguredLogGroup(t *testing.T) {
	t.Parallel()
	w := deployed(t, `{"trailLogs":{"logGroup":"no-such-group"}}`)
	w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Trails}})
	before := w.State()
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.LogGroups, catalog.Alarms}})
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
	if s.Findings != 2 || s.Planned != 0 {
		t.Errorf("%d findings, %d planned; want one of each kind: %+v", s.Findings, s.Planned, s)
	}
	w = healthy(t, `{"trailLogs":{"logGroup":"`+trailGroup+`"}}`)
	w.deleteGroup(home, trailGroup)
	w.send(events.Read("DeleteLogGroup.trail.json"), true)
	if gaps := w.gaps(); len(gaps) > 0 {
		t.Errorf("not protected: %v", gaps)
	}
}

// A sweep that remembers a trail does not count it as restored. People are
// notified, because relight restores a deleted trail from what it remembers.
func TestRememberingIsTold(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	told := len(w.Messages())
	w.putSelectors("audit", cloudtrailtypes.EventSelector{
		DataResources: []cloudtrailtypes.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3"}}},
	})
	w.send(events.Read("PutEventSelectors.excluded.json"), true)
	before := w.memory()
	s := w.sweep(app.Request{})
	mail := w.Messages()[told:]
	if s.Repaired != 0 || s.Planned != 0 || before == w.memory() || len(mail) != 1 || !strings.Contains(mail[0].Text, "Remembered: remember trail audit") {
		t.Errorf("repaired %d, planned %d, messages %+v; memory %s", s.Repaired, s.Planned, mail, w.memory())
	}
}

func (w *world) trail() cloudtrailtypes.Trail {
	w.t.Helper()
	out := must(w.CloudTrail.DescribeTrails(w.t.Context(), &cloudtrail.DescribeTrailsInput{TrailNameList: []string{trailARN}}))
	if len(out.TrailList) != 1 {
		w.t.Fatal("there is no trail")
	}
	return out.TrailList[0]
}

func (w *world) memory() string { return w.parameter(trailMemory) }

func (w *world) parameter(name string) string {
	w.t.Helper()
	return *must(w.SSM.GetParameter(w.t.Context(), &ssm.GetParameterInput{Name: aws.String(name)})).Parameter.Value
}

// putMemory writes what relight remembers of the trail as the sweep does.
func (w *world) putMemory(value string) {
	w.t.Helper()
	must(awstest.NewClients(w.ConfigOf(sessionOf(catalog.Backfill))).SSM.PutParameter(w.t.Context(), &ssm.PutParameterInput{Name: aws.String("/relight/memory/trail"), Value: aws.String(value), Overwrite: aws.Bool(true)}))
}
