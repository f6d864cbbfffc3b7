package app_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
)

const audited = "arn:aws:s3:::audited/"

// all selects every management event.
var all = types.EventSelector{IncludeManagementEvents: aws.Bool(true), ReadWriteType: types.ReadWriteTypeAll}

// objects selects data events of objects.
func objects(of types.ReadWriteType, values ...string) types.EventSelector {
	return types.EventSelector{
		IncludeManagementEvents: aws.Bool(false), ReadWriteType: of,
		DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: values}},
	}
}

// However somebody takes data events off a trail whose management events stay, they
// are selected again, and no sweep forgets them.
func TestDataEventsComeBack(t *testing.T) {
	t.Parallel()
	many := make([]string, 249)
	for i := range many {
		many[i] = fmt.Sprintf("arn:aws:s3:::checkout-%d/", i)
	}
	management := types.AdvancedEventSelector{FieldSelectors: []types.AdvancedFieldSelector{field("eventCategory", "Management")}}
	arn := types.AdvancedFieldSelector{Field: aws.String("resources.ARN"), StartsWith: []string{audited}}
	data := func(more ...types.AdvancedFieldSelector) types.AdvancedEventSelector {
		return types.AdvancedEventSelector{FieldSelectors: append([]types.AdvancedFieldSelector{field("eventCategory", "Data"), field("resources.type", "AWS::S3::Object")}, more...)}
	}
	for name, selected := range map[string]cloudtrail.PutEventSelectorsInput{
		"gone":                    {EventSelectors: []types.EventSelector{all}},
		"only writes":             {EventSelectors: []types.EventSelector{all, objects("WriteOnly", audited)}},
		"only a part":             {EventSelectors: []types.EventSelector{all, objects("All", audited+"public/")}},
		"another bucket's":        {EventSelectors: []types.EventSelector{all, objects("All", "arn:aws:s3:::checkout/")}},
		"one of two":              {EventSelectors: []types.EventSelector{all, objects("All", audited)}},
		"others leave no room":    {EventSelectors: []types.EventSelector{all, objects("All", many...)}},
		"none, advanced":          {AdvancedEventSelectors: []types.AdvancedEventSelector{management}},
		"narrowed by name":        {AdvancedEventSelectors: []types.AdvancedEventSelector{management, data(arn, field("eventName", "PutObject"))}},
		"only reads, by advanced": {AdvancedEventSelectors: []types.AdvancedEventSelector{management, data(arn, field("readOnly", "true"))}},
		"less one object": {AdvancedEventSelectors: []types.AdvancedEventSelector{management, data(types.AdvancedFieldSelector{
			Field: arn.Field, StartsWith: arn.StartsWith, NotEquals: []string{audited + "secret"},
		})}},
	} {
		for _, by := range []string{"PutEventSelectors.excluded.json", "the sweep"} {
			t.Run(name+" by "+by, func(t *testing.T) {
				t.Parallel()
				w := deployed(t, few)
				w.putSelectors("audit", all, objects("All", audited, "arn:aws:s3:::archive/"))
				w.sweep(app.Request{})
				in := selected
				in.TrailName = aws.String("audit")
				must(w.CloudTrail.PutEventSelectors(t.Context(), &in))
				told := w.mailOf(func() {
					if by == "the sweep" {
						w.sweep(app.Request{})
					} else {
						w.send(events.Read(by), true)
					}
				})
				if !strings.Contains(told, "event selectors of trail audit (it no longer records") || !strings.Contains(told, "AWS::S3::Object") {
					t.Errorf("people read %q", told)
				}
				if !w.records(audited+"secret") || !w.records("arn:aws:s3:::archive/x") || !w.recording(trailARN) {
					t.Error("the data events are not selected")
				}
				w.sweep(app.Request{})
				if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 || !strings.Contains(w.memory(), audited) {
					t.Errorf("afterwards %+v; memory %s", s, w.memory())
				}
			})
		}
	}
}

// records reports whether the trail has a selector that surely records reads and
// writes of an object.
func (w *world) records(object string) bool {
	out := must(w.CloudTrail.GetEventSelectors(w.t.Context(), &cloudtrail.GetEventSelectorsInput{TrailName: aws.String("audit")}))
	begins := func(prefixes []string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(object, p) {
				return true
			}
		}
		return false
	}
	for _, s := range out.EventSelectors {
		for _, d := range s.DataResources {
			if s.ReadWriteType == "All" && begins(d.Values) {
				return true
			}
		}
	}
	for _, s := range out.AdvancedEventSelectors {
		found := false
		for _, f := range s.FieldSelectors {
			found = found || *f.Field == "resources.ARN" && begins(f.StartsWith) && len(f.NotEquals) == 0
		}
		if found && len(s.FieldSelectors) == 3 {
			return true
		}
	}
	return false
}

// A trail with more data events than fit in a parameter makes relight forget none
// of those that it remembers.
func TestTooManyDataEventsForgetNone(t *testing.T) {
	t.Parallel()
	w := deployed(t, few)
	w.putSelectors("audit", all, objects("All", audited))
	w.sweep(app.Request{})
	var long []string
	for i := range 200 {
		long = append(long, fmt.Sprintf("arn:aws:s3:::checkout-%d/%x", i, sha256.Sum256([]byte{byte(i)})))
	}
	w.putSelectors("audit", all, objects("All", audited), objects("All", long...))
	if s := w.sweep(app.Request{}); s.Findings != 1 || !strings.Contains(w.memory(), audited) {
		t.Errorf("%+v; memory %s", s, w.memory())
	}
	w.putSelectors("audit", all)
	w.sweep(app.Request{})
	if !w.records(audited + "x") {
		t.Error("the data events are not selected")
	}
}

// A trail that notifies another topic is reported until a person accepts it, and no
// sweep remembers the new topic.
func TestTrailTopicChanged(t *testing.T) {
	t.Parallel()
	w := deployed(t, few)
	was := w.AddTrailTopic("delivered")
	w.updateTrail(cloudtrail.UpdateTrailInput{SnsTopicName: aws.String(was)})
	w.sweep(app.Request{})
	w.updateTrail(cloudtrail.UpdateTrailInput{SnsTopicName: aws.String(w.AddTrailTopic("elsewhere"))})
	told := w.mailOf(func() { w.send(events.Read("UpdateTrail.bucket.json"), true) })
	if !strings.Contains(told, "[trail-topic-changed]") || !strings.Contains(told, "the remembered topic is "+was) {
		t.Errorf("people read %q", told)
	}
	for range 2 {
		if s := w.sweep(app.Request{}); s.Findings != 1 || s.Planned != 0 || !strings.Contains(w.memory(), was) {
			t.Errorf("%+v; memory %s", s, w.memory())
		}
	}
	if what := w.accept(); len(what.Changes) != 1 || what.Changes[0].Name != "topic" {
		t.Errorf("%+v", what)
	}
	if s := w.sweep(app.Request{}); s.Findings != 0 {
		t.Errorf("%+v", s)
	}
}
