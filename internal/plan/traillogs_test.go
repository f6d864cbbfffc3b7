package plan_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

func trailIn(name, account, region string) plan.Trail {
	arn := ":" + region + ":" + account + ":"
	return plan.Trail{
		ARN: "arn:aws:cloudtrail" + arn + "trail/" + name, HomeRegion: region, MultiRegion: true,
		LogGroupARN: "arn:aws:logs" + arn + "log-group:" + name + "-logs:*",
	}
}

func TestChooseTrailLogs(t *testing.T) {
	silent := with(trailIn("silent", account, region), func(t *plan.Trail) { t.LogGroupARN = "" })
	hidden := with(trailIn("org", other, region), func(t *plan.Trail) { t.LogGroupARN = "" })
	delegated := with(trailIn("org", other, region), func(t *plan.Trail) { t.LogGroupARN = trailIn("org", account, region).LogGroupARN })
	partition := with(trailIn("main", account, region), func(t *plan.Trail) {
		t.LogGroupARN = "arn:aws-us-gov:logs:us-east-1:111122223333:log-group:/trail/main"
	})
	one := with(trailIn("local", account, region), func(t *plan.Trail) { t.MultiRegion = false })
	const (
		none = "[trail-missing] account 111122223333: it has no multi-region trail in us-east-1. " +
			"Create one that delivers to a log group."
		elsewhere = "not applicable: filters and alarms belong to account 444455556666, which owns arn:aws:cloudtrail:us-east-1:444455556666:trail/org"
	)
	tests := map[string]struct {
		configured string
		named      string
		trails     []plan.Trail
		group      string
		elsewhere  string
		findings   []string
	}{
		"one":                       {trails: []plan.Trail{trailIn("main", account, region)}, group: "main-logs"},
		"another partition, no :*":  {trails: []plan.Trail{partition}, group: "/trail/main"},
		"beside others elsewhere":   {trails: []plan.Trail{trailIn("a", other, region), trailIn("b", account, "eu-west-1"), trailIn("c", account, region), silent}, group: "c-logs"},
		"a delegated administrator": {trails: []plan.Trail{delegated}, group: "org-logs"},
		"none":                      {findings: []string{none}},
		"of one region only":        {trails: []plan.Trail{one}, findings: []string{none}},
		"several": {
			trails: []plan.Trail{trailIn("c", account, region), trailIn("a", account, region), trailIn("b", account, region)}, group: "a-logs",
			findings: []string{"[trail-ambiguous] trail arn:aws:cloudtrail:us-east-1:111122223333:trail/a: relight chose it because it is the first by ARN, but other trails qualify too: " +
				"arn:aws:cloudtrail:us-east-1:111122223333:trail/b, arn:aws:cloudtrail:us-east-1:111122223333:trail/c. " +
				"Name one of them in the configuration: trail.name."},
		},
		"another region": {
			trails: []plan.Trail{trailIn("main", account, "eu-west-1"), trailIn("org", other, region)},
			findings: []string{"[trail-log-group-elsewhere] trail arn:aws:cloudtrail:eu-west-1:111122223333:trail/main: its log group is in eu-west-1, not in us-east-1. " +
				"Deploy relight in the trail's home region, eu-west-1."},
		},
		"another account":                   {trails: []plan.Trail{trailIn("org", other, region)}, elsewhere: elsewhere},
		"another account, log group hidden": {trails: []plan.Trail{hidden}, elsewhere: elsewhere},
		"another account and region":        {trails: []plan.Trail{with(trailIn("org", other, region), func(t *plan.Trail) { t.HomeRegion = "eu-west-1" })}, elsewhere: elsewhere},
		"no log group": {
			trails: []plan.Trail{silent},
			findings: []string{"[trail-no-log-group] trail arn:aws:cloudtrail:us-east-1:111122223333:trail/silent: it delivers to no log group. " +
				"Give it a log group and a role: aws cloudtrail update-trail --cloud-watch-logs-log-group-arn --cloud-watch-logs-role-arn."},
		},
		"named, and never there": {
			named: "mine", trails: []plan.Trail{trailIn("main", account, region)},
			findings: []string{"[trail-not-found] trail mine: the configuration names it, but us-east-1 has no such trail. Correct trail.name, or create the trail."},
		},
		"named, no log group": {
			named: "silent", trails: []plan.Trail{trailIn("main", account, region), silent},
			findings: []string{"[trail-no-log-group] trail arn:aws:cloudtrail:us-east-1:111122223333:trail/silent: it delivers to no log group. " +
				"Give it a log group and a role: aws cloudtrail update-trail --cloud-watch-logs-log-group-arn --cloud-watch-logs-role-arn."},
		},
		"configured": {configured: "main-logs", trails: []plan.Trail{trailIn("a", account, region), trailIn("main", account, region)}, group: "main-logs"},
		"an organisation's beside own": {
			trails:    []plan.Trail{trailIn("main", account, region), with(trailIn("org", other, region), func(t *plan.Trail) { t.Organization = true })},
			elsewhere: elsewhere,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := catalog.Desired{Baseline: catalog.Baseline{LogGroup: catalog.LogGroupSpec{Name: tt.configured}, Trail: catalog.TrailSpec{Name: tt.named}}}
			got := plan.ChooseTrailLogs(want, account, region, tt.trails, nil, does(tt.trails, nil))
			if got.LogGroup != tt.group || got.Elsewhere != tt.elsewhere {
				t.Errorf("log group %q, elsewhere %q; want %q, %q", got.LogGroup, got.Elsewhere, tt.group, tt.elsewhere)
			}
			says(t, "findings", got.Findings, tt.findings...)
			reversed := slices.Clone(tt.trails)
			slices.Reverse(reversed)
			if diff := cmp.Diff(got, plan.ChooseTrailLogs(want, account, region, reversed, nil, does(tt.trails, nil))); diff != "" {
				t.Errorf("the order of trails matters:\n%s", diff)
			}
		})
	}
}
