package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// only makes a trail record no management events.
func only(name string) func(*world) {
	return func(w *world) {
		must(w.CloudTrail.PutEventSelectors(w.t.Context(), &cloudtrail.PutEventSelectorsInput{TrailName: aws.String(name), AdvancedEventSelectors: []cloudtrailtypes.AdvancedEventSelector{{
			FieldSelectors: []cloudtrailtypes.AdvancedFieldSelector{{Field: aws.String("eventCategory"), Equals: []string{"Data"}}, {Field: aws.String("resources.type"), Equals: []string{"AWS::S3::Object"}}},
		}}}))
	}
}

// field returns a field selector, and selects sets a trail's one selector.
func field(name string, equals ...string) cloudtrailtypes.AdvancedFieldSelector {
	return cloudtrailtypes.AdvancedFieldSelector{Field: aws.String(name), Equals: equals}
}

func selects(w *world, trail string, fields ...cloudtrailtypes.AdvancedFieldSelector) {
	must(w.CloudTrail.PutEventSelectors(w.t.Context(), &cloudtrail.PutEventSelectorsInput{
		TrailName: aws.String(trail), AdvancedEventSelectors: []cloudtrailtypes.AdvancedEventSelector{{FieldSelectors: fields}},
	}))
}

// Of two trails relight chooses the one that does the job, whatever their names.
// It leaves the other one and its log group as they are, and does not say that the
// other one would do as well.
func TestChoosesByWhatATrailDoes(t *testing.T) {
	t.Parallel()
	narrowed := func(fields ...cloudtrailtypes.AdvancedFieldSelector) func(*world) {
		return func(w *world) {
			must(w.CloudTrail.PutEventSelectors(w.t.Context(), &cloudtrail.PutEventSelectorsInput{TrailName: aws.String("aaa"), AdvancedEventSelectors: []cloudtrailtypes.AdvancedEventSelector{{
				FieldSelectors: append([]cloudtrailtypes.AdvancedFieldSelector{{Field: aws.String("eventCategory"), Equals: []string{"Management"}}}, fields...),
			}}}))
		}
	}
	for name, first := range map[string]func(*world){
		"data events":         only("aaa"),
		"stopped":             func(w *world) { w.stopLogging("aaa") },
		"stopped data":        func(w *world) { only("aaa")(w); w.stopLogging("aaa") },
		"some regions":        narrowed(cloudtrailtypes.AdvancedFieldSelector{Field: aws.String("awsRegion"), Equals: []string{"eu-west-1"}}),
		"reads":               narrowed(cloudtrailtypes.AdvancedFieldSelector{Field: aws.String("readOnly"), Equals: []string{"true"}}),
		"not some calls":      narrowed(cloudtrailtypes.AdvancedFieldSelector{Field: aws.String("eventName"), NotEquals: []string{"ConsoleLogin"}}),
		"not some sources":    narrowed(cloudtrailtypes.AdvancedFieldSelector{Field: aws.String("eventSource"), NotEquals: []string{"kms.amazonaws.com", "rdsdata.amazonaws.com"}}),
		"some sources":        narrowed(field("eventSource", "iam.amazonaws.com")),
		"writes":              narrowed(field("readOnly", "false")),
		"calls, not sign-ins": narrowed(field("eventType", "AwsApiCall")),
		"some principals":     narrowed(cloudtrailtypes.AdvancedFieldSelector{Field: aws.String("userIdentity.arn"), NotStartsWith: []string{"arn:aws:sts::111122223333:assumed-role/ops"}}),
		"from the console":    narrowed(field("sessionCredentialFromConsole", "true")),
		"some resources":      narrowed(cloudtrailtypes.AdvancedFieldSelector{Field: aws.String("resources.ARN"), StartsWith: []string{"arn:aws:iam:"}}),
		"network activity": func(w *world) {
			selects(w, "aaa", field("eventCategory", "NetworkActivity"), field("eventSource", "s3.amazonaws.com"))
		},
		"basic, without KMS": func(w *world) {
			w.putSelectors("aaa", cloudtrailtypes.EventSelector{IncludeManagementEvents: aws.Bool(true), ReadWriteType: "All", ExcludeManagementEventSources: []string{"kms.amazonaws.com"}})
		},
		"basic, writes": func(w *world) {
			w.putSelectors("aaa", cloudtrailtypes.EventSelector{IncludeManagementEvents: aws.Bool(true), ReadWriteType: "WriteOnly"})
		},
		"without validation": func(w *world) {
			w.updateTrail(cloudtrail.UpdateTrailInput{Name: aws.String("aaa"), EnableLogFileValidation: aws.Bool(false)})
		},
		"one region": func(w *world) {
			w.updateTrail(cloudtrail.UpdateTrailInput{Name: aws.String("aaa"), IsMultiRegionTrail: aws.Bool(false)})
		},
		"no log group": func(w *world) {
			w.updateTrail(cloudtrail.UpdateTrailInput{Name: aws.String("aaa"), CloudWatchLogsLogGroupArn: aws.String(""), CloudWatchLogsRoleArn: aws.String("")})
		},
		"its role deleted":  func(w *world) { w.RemoveRole("arn:aws:iam::111122223333:role/aaa-delivery") },
		"does not deliver":  func(w *world) { w.RemoveBucket("aaa-" + account) },
		"its group deleted": func(w *world) { w.deleteGroup(home, "aaa") },
	} {
		for _, kinds := range [][]catalog.Kind{nil, {catalog.LogGroups, catalog.Alarms}} {
			t.Run(name, func(t *testing.T) {
				w := deployed(t, "")
				w.AddTrailTo("aaa", "aaa")
				first(w)
				before := w.State()
				w.sweep(app.Request{Kinds: kinds})
				s := w.sweep(app.Request{Kinds: kinds})
				after := w.State()
				for key, state := range before {
					if strings.Contains(key, "aaa") && after[key] != state {
						t.Errorf("%s: %s", key, cmp.Diff(state, after[key]))
					}
				}
				if kinds == nil {
					if gaps := w.gaps(); len(gaps) > 0 || !strings.Contains(w.memory(), trailARN) {
						t.Errorf("not protected: %v; memory %s", gaps, w.memory())
					}
				}
				if slices.Contains(codes(s), "trail-ambiguous") {
					t.Errorf("findings %v", codes(s))
				}
			})
		}
	}
}

// A trail that records no management events is left as it is even if there is no
// other, until the configuration names it. The only trail is started if it was
// stopped: the account needs one.
func TestOnlyTrail(t *testing.T) {
	t.Parallel()
	t.Run("data events", func(t *testing.T) {
		w := deployed(t, "")
		only("audit")(w)
		before := w.State()
		for range 2 {
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Trails, catalog.LogGroups, catalog.Alarms}})
			if diff := cmp.Diff(before, w.State()); diff != "" {
				t.Errorf("changed (-before +after):\n%s", diff)
			}
			if got := codes(s); !slices.Equal(got, []string{"trail-other-purpose", "trail-other-purpose", "trail-other-purpose"}) {
				t.Errorf("findings %v", got)
			}
		}
		w.deleteGroup(home, trailGroup)
		w.sweep(app.Request{Kinds: []catalog.Kind{catalog.LogGroups, catalog.Alarms}})
		if w.State()[home+" log-group "+trailGroup] != "" {
			t.Error("the log group of an owner's data trail was created")
		}
		w.createGroup(home, trailGroup)
		w.config.Trail.Name = "audit"
		w.sweep(app.Request{})
		if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 || len(w.gaps()) > 0 {
			t.Errorf("named: %v, %+v", w.gaps(), s)
		}
	})
	t.Run("stopped", func(t *testing.T) {
		w := deployed(t, "")
		w.stopLogging("audit")
		w.sweep(app.Request{})
		if gaps := w.gaps(); len(gaps) > 0 {
			t.Error(gaps)
		}
	})
	t.Run("all stopped", func(t *testing.T) {
		w := deployed(t, few)
		w.AddTrailTo("zzz", "zzz")
		w.stopLogging("zzz")
		w.stopLogging("audit")
		w.sweep(app.Request{})
		if !w.recording(trailARN) || w.recording(strings.ReplaceAll(trailARN, "audit", "zzz")) {
			t.Error("want the first one started, and no other")
		}
	})
}

// Whoever deletes relight's memory and narrows the trail to data events does not
// make it look like an owner's trail for another purpose: relight's filters are on
// its log group.
func TestForgottenAndNarrowed(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.forget()
	only("audit")(w)
	w.sweep(app.Request{})
	out := must(w.CloudTrail.GetEventSelectors(t.Context(), &cloudtrail.GetEventSelectorsInput{TrailName: aws.String("audit")}))
	if len(out.AdvancedEventSelectors) != 2 {
		t.Errorf("selectors %s", text(out.AdvancedEventSelectors))
	}
}

// orgTrailOf returns an organisation's trail of another account.
func orgTrailOf(group string) cloudtrailtypes.Trail {
	t := cloudtrailtypes.Trail{
		TrailARN: aws.String("arn:aws:cloudtrail:us-east-1:444455556666:trail/org"), HomeRegion: aws.String(home), S3BucketName: aws.String("org-logs"),
		IsMultiRegionTrail: aws.Bool(true), IsOrganizationTrail: aws.Bool(true), IncludeGlobalServiceEvents: aws.Bool(true), LogFileValidationEnabled: aws.Bool(true),
	}
	if group != "" {
		t.CloudWatchLogsLogGroupArn = aws.String("arn:aws:logs:us-east-1:111122223333:log-group:" + group + ":*")
		t.CloudWatchLogsRoleArn = aws.String(auditRole)
	}
	return t
}

// In a member account the organisation's trail comes before a trail of the
// account's own, unless that one is named or remembered, or the organisation's
// does not do the job.
func TestOrganisationsTrailFirst(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		arrange func(*world)
		own     bool
	}{
		"beside it":            {arrange: func(*world) {}},
		"it cannot be read":    {arrange: func(w *world) { w.Deny("GetTrailStatus"); w.Deny("GetEventSelectors"); w.RemoveTrail(trailARN) }},
		"own named":            {arrange: func(w *world) { w.config.Trail.Name = "audit" }, own: true},
		"it records data only": {arrange: func(w *world) { w.Select("arn:aws:cloudtrail:us-east-1:444455556666:trail/org") }, own: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := deployed(t, few)
			w.AddBucket("org-logs")
			w.AddTrail(orgTrailOf(""))
			tt.arrange(w)
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Trails, catalog.LogGroups, catalog.Alarms}})
			skipped := 0
			for _, r := range s.Reports {
				for _, skip := range r.Skipped {
					if strings.Contains(skip, "not applicable") {
						skipped++
					}
				}
			}
			filters := must(w.Logs.DescribeMetricFilters(t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(trailGroup)}))
			if (skipped == 0) != tt.own || (len(filters.MetricFilters) > 0) != tt.own {
				t.Errorf("%d kinds skipped, %d filters, own %t: %+v", skipped, len(filters.MetricFilters), tt.own, s)
			}
		})
	}
}

// A delegated administrator, whose account has the log group of the
// organisation's trail, protects that trail.
func TestDelegatedAdministrator(t *testing.T) {
	t.Parallel()
	const org = "arn:aws:cloudtrail:us-east-1:444455556666:trail/org"
	w := deployed(t, few)
	w.AddBucket("org-logs")
	w.AddTrail(orgTrailOf(trailGroup))
	w.RemoveTrail(trailARN)
	w.sweep(app.Request{})
	filters := must(w.Logs.DescribeMetricFilters(t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(trailGroup)}))
	if len(filters.MetricFilters) == 0 {
		t.Error("no filters")
	}
	must(w.CloudTrail.StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String(org)}))
	w.updateTrail(cloudtrail.UpdateTrailInput{Name: aws.String(org), EnableLogFileValidation: aws.Bool(false)})
	w.sweep(app.Request{})
	if got := must(w.CloudTrail.DescribeTrails(t.Context(), &cloudtrail.DescribeTrailsInput{TrailNameList: []string{org}})).TrailList[0]; !w.recording(org) || !*got.LogFileValidationEnabled {
		t.Errorf("%+v", got)
	}
	before := len(w.Writes())
	if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 || len(w.Writes()) != before {
		t.Errorf("afterwards %+v", s)
	}
}

// A configured log group that exists but that no trail feeds, now or as far as
// relight remembers, is a finding, and nothing on it counts.
func TestNamedGroupWithoutATrail(t *testing.T) {
	t.Parallel()
	const named = "/aws/cloudtrail/main"
	kinds := []catalog.Kind{catalog.LogGroups, catalog.Alarms}
	for name, arrange := range map[string]func(*world){
		"never fed": func(w *world) { w.createGroup(home, named) },
		"moved before the first sweep": func(w *world) {
			w.AddTrailTo("zzz", named)
			w.updateTrail(cloudtrail.UpdateTrailInput{
				Name: aws.String("zzz"), CloudWatchLogsLogGroupArn: w.trail().CloudWatchLogsLogGroupArn, CloudWatchLogsRoleArn: w.trail().CloudWatchLogsRoleArn,
			})
		},
		"fed by data events only":     func(w *world) { w.AddTrailTo("zzz", named); only("zzz")(w) },
		"fed by a stopped data trail": func(w *world) { w.AddTrailTo("zzz", named); only("zzz")(w); w.stopLogging("zzz") },
		"fed by network activity only": func(w *world) {
			w.AddTrailTo("zzz", named)
			selects(w, "zzz", field("eventCategory", "NetworkActivity"), field("eventSource", "ec2.amazonaws.com"))
		},
		"fed by a trail of one region": func(w *world) {
			w.AddTrailTo("zzz", named)
			w.updateTrail(cloudtrail.UpdateTrailInput{Name: aws.String("zzz"), IsMultiRegionTrail: aws.Bool(false), IncludeGlobalServiceEvents: aws.Bool(false)})
		},
		"fed by nothing, and its trail is gone": func(w *world) { w.RemoveTrail(w.AddTrailTo("zzz", named)) },
		"of a name that differs by a letter": func(w *world) {
			w.createGroup(home, named)
			w.AddTrailTo("zzz", named+"2")
		},
		"fed by a trail in another account": func(w *world) {
			w.createGroup(home, named)
			org := orgTrailOf("")
			org.CloudWatchLogsLogGroupArn = aws.String("arn:aws:logs:us-east-1:" + other + ":log-group:" + named + ":*")
			w.AddBucket("org-logs")
			w.AddTrail(org)
		},
		"fed in another region": func(w *world) {
			w.createGroup(home, named)
			w.createGroup(second, named)
			w.updateTrail(cloudtrail.UpdateTrailInput{CloudWatchLogsLogGroupArn: aws.String(""), CloudWatchLogsRoleArn: aws.String("")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := deployed(t, few)
			w.config.TrailLogs.LogGroup = named
			arrange(w)
			before := w.State()
			s := w.sweep(app.Request{Kinds: kinds})
			if diff := cmp.Diff(before, w.State()); diff != "" {
				t.Errorf("changed (-before +after):\n%s", diff)
			}
			if got := codes(s); len(got) != 2 || s.Planned != 0 {
				t.Errorf("findings %v, %d planned", got, s.Planned)
			}
			for _, r := range s.Reports {
				want := 0
				if r.Kind == "alarms" {
					want = len(w.config.Baseline().StackAlarms) // which need no trail
				}
				if r.Healthy != want {
					t.Errorf("%s: %d healthy, want %d", r.Scope, r.Healthy, want)
				}
			}
		})
	}
	// The trail that feeds the configured log group is the one to protect, also if
	// relight remembers another one, and whatever state it is in.
	for name, arrange := range map[string]func(*world){
		"fed":                    func(*world) {},
		"fed by a stopped trail": func(w *world) { w.stopLogging("zzz") },
		"fed with reads only":    func(w *world) { selects(w, "zzz", field("eventCategory", "Management"), field("readOnly", "true")) },
		"without log validation": func(w *world) {
			w.updateTrail(cloudtrail.UpdateTrailInput{Name: aws.String("zzz"), EnableLogFileValidation: aws.Bool(false)})
		},
		"and the old one is gone":   func(w *world) { w.deleteTrail("audit") },
		"and the old one is silent": func(w *world) { w.stopLogging("audit") },
	} {
		t.Run("configured later, "+name, func(t *testing.T) {
			w := healthy(t, few)
			w.AddTrailTo("zzz", named)
			arrange(w)
			w.config.TrailLogs.LogGroup = named
			w.sweep(app.Request{})
			zzz := strings.ReplaceAll(trailARN, "audit", "zzz")
			if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 || !w.recording(zzz) || !strings.Contains(w.memory(), "trail/zzz") {
				t.Errorf("zzz records: %t; memory %s; %d planned, findings %v", w.recording(zzz), w.memory(), s.Planned, codes(s))
			}
			w.stopLogging("zzz")
			w.sweep(app.Request{})
			if !w.recording(zzz) {
				t.Error("it was not started again")
			}
		})
	}
	t.Run("fed by the second trail", func(t *testing.T) {
		w := deployed(t, few)
		w.AddTrailTo("zzz", named)
		w.config.TrailLogs.LogGroup = named
		w.sweep(app.Request{})
		if s := w.sweep(app.Request{}); s.Planned != 0 || !strings.Contains(w.memory(), "trail/zzz") {
			t.Errorf("memory %s, %+v", w.memory(), s)
		}
	})
}
