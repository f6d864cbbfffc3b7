package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

const trailMemory = "/relight/memory/trail"

// writers are principals whose writes are not the sweep's, however they look.
var writers = map[string]string{
	"the root user":                    "arn:aws:iam::" + account + ":root",
	"a user":                           "arn:aws:iam::" + account + ":user/Mallory",
	"another role, in a like session":  "arn:aws:sts::" + account + ":assumed-role/mallory/relight-backfill",
	"a role with a longer name":        "arn:aws:sts::" + account + ":assumed-role/relight-backfill2/relight-backfill",
	"a function that events start":     sessionOf(catalog.Function(catalog.Trails)),
	"a namesake in another account":    "arn:aws:sts::" + other + ":assumed-role/relight-backfill/relight-backfill",
	"a user with the role in his name": "arn:aws:iam::" + account + ":user/assumed-role/relight-backfill/x",
}

// putAs writes a parameter as a principal.
func (w *world) putAs(caller, name, value string) {
	w.t.Helper()
	must(awstest.NewClients(w.ConfigOf(caller)).SSM.PutParameter(w.t.Context(), &ssm.PutParameterInput{
		Name: aws.String(name), Value: aws.String(value), Type: types.ParameterTypeString, Overwrite: aws.Bool(true),
	}))
}

// Whoever writes the bucket of his choice into the memory and points the trail
// there gains nothing: the events and the sweep report both, the sweep writes its
// own memory again, and a deleted trail comes back with the old bucket.
func TestMemoryByAnotherAuthor(t *testing.T) {
	t.Parallel()
	for name, caller := range writers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, few)
			bucket, remembered := aws.ToString(w.trail().S3BucketName), w.memory()
			w.AddBucket("elsewhere")
			w.putAs(caller, trailMemory, strings.ReplaceAll(remembered, bucket, "elsewhere"))
			told := w.mailOf(func() { w.send(events.Read("PutParameter.memory.json"), true) })
			if !strings.Contains(told, "PutParameter of "+trailMemory) || !strings.Contains(told, ":user/Alice") {
				t.Errorf("after the event %q", told)
			}
			w.updateTrail(cloudtrail.UpdateTrailInput{S3BucketName: aws.String("elsewhere")})
			told = w.mailOf(func() { w.send(events.Read("UpdateTrail.bucket.json"), true) })
			if !strings.Contains(told, `It sets s3BucketName to "elsewhere"`) || !strings.Contains(told, "the remembered bucket is "+bucket) {
				t.Errorf("after the second event %q", told)
			}
			var s app.Sweep
			told = w.mailOf(func() { s = w.sweep(app.Request{}) })
			if !strings.Contains(told, "[memory-foreign]") || !strings.Contains(told, caller) || !strings.Contains(told, "[trail-bucket-changed]") || s.Repaired != 1 {
				t.Errorf("after the sweep %q, %d repaired", told, s.Repaired)
			}
			if got := w.memory(); got != remembered {
				t.Errorf("memory %s", got)
			}
			if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 1 {
				t.Errorf("a sweep afterwards: %+v", s)
			}
			w.deleteTrail("audit")
			w.send(events.Read("DeleteTrail.name.json"), true)
			if got := aws.ToString(w.trail().S3BucketName); got != bucket {
				t.Errorf("the trail came back with bucket %s", got)
			}
		})
	}
}

// mailOf returns what people are notified of while f runs.
func (w *world) mailOf(f func()) string {
	before := len(w.Messages())
	f()
	var all []string
	for _, m := range w.Messages()[before:] {
		all = append(all, m.Text)
	}
	return strings.Join(all, "\n")
}

// If nothing is left that the sweep wrote, the memory is hostile and not empty:
// it is reported, and no sweep learns what the trail is like now.
func TestMemoryCrowdedOut(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.PageSize(0)
	mallory := writers["a user"]
	for i := range 100 {
		w.putAs(mallory, trailMemory, fmt.Sprint(i))
	}
	w.AddBucket("elsewhere")
	w.updateTrail(cloudtrail.UpdateTrailInput{S3BucketName: aws.String("elsewhere")})
	told := w.mailOf(func() { w.sweep(app.Request{}) })
	if !strings.Contains(told, "[trail-memory-unusable]") || !strings.Contains(told, mallory) || w.memory() != "99" {
		t.Errorf("%q; memory %s", told, w.memory())
	}
	if what := w.accept(); !strings.Contains(what.Unread, mallory) { // a person has looked
		t.Errorf("%+v", what)
	}
	if s := w.sweep(app.Request{}); s.Findings != 0 || !strings.Contains(w.memory(), "elsewhere") {
		t.Errorf("%+v; memory %s", s, w.memory())
	}
}

// Marks that somebody else wrote keep no finding from people.
func TestMarksByAnotherAuthor(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.FailDelivery(home, "vpc-1", "Access error")
	other := deployed(t, "") // shows which marks the finding has
	other.sweep(app.Request{})
	other.FailDelivery(home, "vpc-1", "Access error")
	other.sweep(app.Request{})
	marks := must(other.SSM.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String(findingsMemory)})).Parameter.Value
	w.putAs(writers["a user"], findingsMemory, *marks)
	told := w.mailOf(func() { w.sweep(app.Request{}) })
	if !strings.Contains(told, "its delivery is FAILED") || !strings.Contains(told, "[memory-foreign] memory "+findingsMemory) {
		t.Errorf("%q", told)
	}
	if told := w.mailOf(func() { w.sweep(app.Request{}) }); told != "" {
		t.Errorf("again %q", told)
	}
}

// Only the deployed sweep writes what relight remembers: a terminal that applies a
// plan leaves that to it.
func TestTerminalsForget(t *testing.T) {
	t.Parallel()
	w := deployed(t, few)
	a := app.NewWith(app.Options{
		Function: catalog.Backfill, Kinds: kindsOf(catalog.Backfill), Config: must(config.Parse([]byte(few))), AWS: w.Config(), Log: w.logger(), Now: w.Now, Silent: true,
		Deployment: catalog.Deployment{
			Account: account, HomeRegion: home, Topic: w.topic, TopicKey: topicKey, DeliveryRole: role, SweepRole: roleOf(catalog.Backfill),
		},
	})
	s := must(a.Sweep(t.Context(), app.Request{}, nil))
	if w.Calls()["PutParameter"] != 0 || s.Unrestored != 0 || s.Repaired == 0 {
		t.Errorf("%d writes to memory; %+v", w.Calls()["PutParameter"], s)
	}
	w.sweep(app.Request{})
	if s := w.sweep(app.Request{}); s.Findings != 0 || w.Calls()["PutParameter"] != 4 { // the first sweep writes what it adopts twice
		t.Errorf("%d writes to memory; %+v", w.Calls()["PutParameter"], s)
	}
}
