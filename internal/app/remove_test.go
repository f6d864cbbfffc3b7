package app_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/awsio/remove"
	"github.com/relight-aws/relight/internal/catalog"
)

// remover removes as relight remove does.
func (w *world) remover() remove.Remover {
	o := w.options(home, catalog.Backfill)
	o.Deployment = catalog.Deployment{Account: account, HomeRegion: home} // nothing is deployed any more
	return remove.Remover{Cloud: &awsio.Cloud{Config: w.Config(), Want: o.Config.Desired(o.Deployment), Now: o.Now}, KeyDays: 30}
}

// spokeKey encrypts the topic of an account that was guarded.
var spokeKey = strings.Replace(topicKey, "key/0", "key/8", 1)

// abandoned returns an account that relight has swept and whose stacks are gone, beside
// namesakes of relight's resources that others made.
func abandoned(t *testing.T) *world {
	t.Helper()
	w := healthy(t, "")
	w.noStack()
	w.DeleteStack(second, "relight-"+second)
	tag := map[string]string{catalog.OwnerTag: "relight"}
	w.DescribeAs(topicKey, catalog.KeyDescription("relight"), tag)
	w.AddKey(spokeKey)
	w.DescribeAs(spokeKey, catalog.KeyDescription("relight-spoke"), tag)
	w.AddTopic(home, "relight-theirs", 0)
	w.AddRole("arn:aws:iam::"+account+":role/relight-theirs", 0)
	w.AddQueue(home, "relight-theirs")
	theirKey := strings.Replace(topicKey, "key/0", "key/9", 1)
	w.AddKey(theirKey)
	w.DescribeAs(theirKey, "Encrypts what they like", tag)
	w.putAlarm(&cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("relight-theirs"), Namespace: aws.String("checkout"), MetricName: aws.String("latency"),
		Statistic: cloudwatchtypes.StatisticSum, Period: aws.Int32(300), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(2),
		ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanOrEqualToThreshold,
	})
	w.putFilter(trailGroup, logstypes.MetricFilter{
		FilterName: aws.String("relight-theirs"), FilterPattern: aws.String("ERROR"),
		MetricTransformations: []logstypes.MetricTransformation{{MetricNamespace: aws.String("checkout"), MetricName: aws.String("errors"), MetricValue: aws.String("1")}},
	})
	must(w.SSM.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/relight/theirs"), Value: aws.String("theirs"), Type: ssmtypes.ParameterTypeString}))
	return w
}

// names returns items as sort, region and name.
func names(items []remove.Item) (all []string) {
	for _, i := range items {
		name, _, _ := strings.Cut(i.Name, " of ")
		all = append(all, string(i.Sort)+" "+i.Region+" "+name)
	}
	return all
}

// Removing takes away everything of relight's, leaves everything of others, and finds
// nothing more to remove the second time.
func TestRemove(t *testing.T) {
	t.Parallel()
	w := abandoned(t)
	r := w.remover()
	regions := []string{home, second}
	before := w.State()
	found := r.List(t.Context(), regions)
	if len(found.Unread) > 0 {
		t.Fatalf("unread: %+v", found.Unread)
	}
	sorts := map[catalog.LeftoverSort]int{}
	for _, i := range found.Remove {
		sorts[i.Sort]++
	}
	controls := len(catalog.Controls())
	for sort, want := range map[catalog.LeftoverSort]int{
		catalog.LeftFilter: controls, catalog.LeftFlowLog: 3, catalog.LeftTopic: 1, catalog.LeftKey: 2, catalog.LeftRole: 1, catalog.LeftParameter: 3, catalog.LeftLogs: 0, catalog.LeftTrail: 0,
	} {
		if sorts[sort] != want {
			t.Errorf("%d of sort %s to remove, want %d: %v", sorts[sort], sort, want, names(found.Remove))
		}
	}
	if sorts[catalog.LeftAlarm] < controls {
		t.Errorf("%d alarms to remove, want those of %d controls", sorts[catalog.LeftAlarm], controls)
	}
	stay := names(found.Stay)
	slices.Sort(stay)
	if diff := cmp.Diff([]string{
		"alarm us-east-1 relight-theirs", "log group eu-west-1 relight-flow-logs", "log group us-east-1 relight-flow-logs", "metric filter us-east-1 relight-theirs",
		"parameter us-east-1 /relight/theirs", "queue us-east-1 relight-sweep-failed", "queue us-east-1 relight-theirs", "role us-east-1 relight-theirs", "topic us-east-1 relight-theirs",
	}, slices.DeleteFunc(stay, func(s string) bool { return strings.Contains(s, "/aws/lambda/") })); diff != "" {
		t.Errorf("what stays (-want +got):\n%s", diff)
	}

	removed, failed := r.Remove(t.Context(), found.Remove, func(int) {})
	if len(failed) > 0 || len(removed) != len(found.Remove) {
		t.Errorf("%d removed of %d, failed: %+v", len(removed), len(found.Remove), failed)
	}
	after := w.State()
	for key, was := range before {
		now, exists := after[key]
		ours := strings.Contains(key, "relight") && !strings.Contains(key, "theirs") && !strings.Contains(key, "relight-flow-logs") || strings.Contains(was, "relight-flow-logs") || key == "key "+topicKey || key == "key "+spokeKey
		if !ours && (!exists || now != was) {
			t.Errorf("%s was %s and is %s", key, was, now)
		}
	}
	if again := r.List(t.Context(), regions); len(again.Remove) > 0 || len(again.Unread) > 0 {
		t.Errorf("still to remove: %v, unread: %v", names(again.Remove), again.Unread)
	}

	r.Logs = true
	logs := r.List(t.Context(), regions)
	if _, failed := r.Remove(t.Context(), logs.Remove, func(int) {}); len(logs.Remove) == 0 || len(failed) > 0 {
		t.Errorf("%v to remove with --logs; failed: %+v", names(logs.Remove), failed)
	}
	for key := range w.State() {
		if strings.Contains(key, flowLogGroup) {
			t.Errorf("%s is left", key)
		}
	}
}

// What cannot be listed or deleted is named, and everything else goes.
func TestRemoveGoesOn(t *testing.T) {
	t.Parallel()
	w := abandoned(t)
	r := w.remover()
	w.Deny("ListTopics")
	found := r.List(t.Context(), []string{home, second})
	if got := names(found.Unread); !slices.Equal(got, []string{"topic eu-west-1 *", "topic us-east-1 *"}) || !strings.Contains(found.Unread[0].Why, "ListTopics") {
		t.Errorf("unread: %+v", found.Unread)
	}
	w.Allow("ListTopics")
	found = r.List(t.Context(), []string{home, second})
	w.Deny("DeleteFlowLogs")
	steps := 0
	removed, failed := r.Remove(t.Context(), found.Remove, func(n int) { steps = n })
	if len(failed) != 3 || len(removed) != len(found.Remove)-3 || steps != len(found.Remove) || !strings.Contains(failed[0].Why, "DeleteFlowLogs") {
		t.Errorf("%d removed of %d, failed: %+v", len(removed), len(found.Remove), failed)
	}
	w.Allow("DeleteFlowLogs")
	if removed, failed := r.Remove(t.Context(), found.Remove, func(int) {}); len(failed) > 0 || len(removed) != len(found.Remove) {
		t.Errorf("again: failed: %+v", failed) // what is gone counts as gone
	}
}

// While a stack exists, in whatever region, its name is in the way.
func TestRemoveSeesStacks(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	stacks, err := w.remover().Stacks(t.Context(), []string{home, second})
	if err != nil || !slices.Equal(stacks, []string{second + "/relight-" + second, home + "/relight"}) {
		t.Errorf("stacks %v, %v", stacks, err)
	}
	w.noStack()
	w.DeleteStack(second, "relight-"+second)
	if stacks, err := w.remover().Stacks(t.Context(), []string{home, second}); err != nil || len(stacks) > 0 {
		t.Errorf("stacks %v, %v", stacks, err)
	}
	w.Deny("DescribeStacks")
	if _, err := w.remover().Stacks(context.Background(), []string{home}); err == nil {
		t.Error("an unread stack counts as none")
	}
}

// The package knows every sort of the table, and the table every kind that makes or keeps
// anything.
func TestRemoveKnowsEveryKind(t *testing.T) {
	t.Parallel()
	var sorts []catalog.LeftoverSort
	left := map[catalog.Kind]bool{}
	for _, row := range catalog.Leftovers() {
		sorts = append(sorts, row.Sort)
		for _, k := range row.Kinds {
			left[k] = true
		}
	}
	slices.Sort(sorts)
	if diff := cmp.Diff(sorts, remove.Sorts()); diff != "" {
		t.Errorf("sorts (-table +package):\n%s", diff)
	}
	for _, k := range catalog.Kinds() {
		if !left[k] {
			t.Errorf("the table says nothing of what %s leaves", k)
		}
	}
	if len(left) != len(catalog.Kinds()) {
		t.Errorf("kinds %v", slices.Collect(maps.Keys(left)))
	}
}

// Whatever a deployment with a longer prefix has, stays: its names begin with relight-, too.
func TestRemoveSparesAnotherPrefix(t *testing.T) {
	t.Parallel()
	w := healthy(t, `{"prefix":"relight-eu"}`)
	r := w.remover()
	config := configured(t, "")
	r.Cloud.Want = config.Desired(catalog.Deployment{Account: account, HomeRegion: home})
	r.Logs = true
	if found := r.List(t.Context(), []string{home, second}); len(found.Unread) > 0 || len(slices.DeleteFunc(names(found.Remove), func(s string) bool {
		return s == "topic us-east-1 relight-alerts" // the tests' topic has the default prefix
	})) > 0 {
		t.Errorf("to remove: %v, unread: %v", names(found.Remove), found.Unread)
	}
}
