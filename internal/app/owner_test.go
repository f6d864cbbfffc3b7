package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
)

// A repair starts from the alarm as it is and keeps what its owner added.
func TestOwnersExtrasStay(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	pager := "arn:aws:sns:us-east-1:111122223333:pager"
	w.changeAlarm(rootUsage, func(a *cloudwatch.PutMetricAlarmInput) {
		a.AlarmActions = []string{pager} // without relight's topic
		a.OKActions = []string{pager}
		a.AlarmDescription = aws.String("call the duty officer")
		a.Threshold = aws.Float64(50)
	})
	w.send(events.Read("PutMetricAlarm.weakened.json"), true)
	out := must(w.CloudWatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{rootUsage}}))
	got := out.MetricAlarms[0]
	if diff := cmp.Diff([]string{pager, w.topic}, got.AlarmActions); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	if !slices.Equal(got.OKActions, []string{pager}) || *got.AlarmDescription != "call the duty officer" || *got.Threshold != 1 {
		t.Errorf("OK actions %v, description %q, threshold %v", got.OKActions, *got.AlarmDescription, *got.Threshold)
	}
}

// relight undoes every change that makes its alarms notify less or measure
// less.
func TestWeakenedAlarms(t *testing.T) {
	t.Parallel()
	for name, change := range weakenings {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, "")
			before := w.State()
			w.changeAlarm(rootUsage, change)
			w.send(events.Read("PutMetricAlarm.weakened.json"), true)
			if diff := cmp.Diff(before, w.State()); diff != "" {
				t.Errorf("not restored (-before +after):\n%s", diff)
			}
		})
	}
}

var weakenings = map[string]func(*cloudwatch.PutMetricAlarmInput){
	"threshold":   func(a *cloudwatch.PutMetricAlarmInput) { a.Threshold = aws.Float64(2) },
	"zero":        func(a *cloudwatch.PutMetricAlarmInput) { a.Threshold = aws.Float64(0) },
	"muted":       func(a *cloudwatch.PutMetricAlarmInput) { a.ActionsEnabled = aws.Bool(false) },
	"no actions":  func(a *cloudwatch.PutMetricAlarmInput) { a.AlarmActions = nil },
	"metric":      func(a *cloudwatch.PutMetricAlarmInput) { a.MetricName = aws.String("unused") },
	"namespace":   func(a *cloudwatch.PutMetricAlarmInput) { a.Namespace = aws.String("unused") },
	"statistic":   func(a *cloudwatch.PutMetricAlarmInput) { a.Statistic = cloudwatchtypes.StatisticMinimum },
	"percentile":  func(a *cloudwatch.PutMetricAlarmInput) { a.Statistic, a.ExtendedStatistic = "", aws.String("p90") },
	"unit":        func(a *cloudwatch.PutMetricAlarmInput) { a.Unit = cloudwatchtypes.StandardUnitBytes },
	"long period": func(a *cloudwatch.PutMetricAlarmInput) { a.Period = aws.Int32(86400) },
	"missing":     func(a *cloudwatch.PutMetricAlarmInput) { a.TreatMissingData = aws.String("breaching") },
	"periods": func(a *cloudwatch.PutMetricAlarmInput) {
		a.EvaluationPeriods, a.DatapointsToAlarm = aws.Int32(12), aws.Int32(12)
	},
	"comparison": func(a *cloudwatch.PutMetricAlarmInput) {
		a.ComparisonOperator = cloudwatchtypes.ComparisonOperatorLessThanThreshold
	},
	"dimension": func(a *cloudwatch.PutMetricAlarmInput) {
		a.Dimensions = []cloudwatchtypes.Dimension{{Name: aws.String("Account"), Value: aws.String("none")}}
	},
	"fixed window": func(a *cloudwatch.PutMetricAlarmInput) {
		a.EvaluationWindow = &cloudwatchtypes.EvaluationWindowMemberWallClockWindow{}
	},
	"warm-up": func(a *cloudwatch.PutMetricAlarmInput) {
		a.WarmUpConfiguration = &cloudwatchtypes.WarmUpConfiguration{
			WarmUpPeriodDurationInMinutes: aws.Int32(1440), OnlyStartEvaluatingAfterWarmUpPeriodEnds: aws.Bool(true),
		}
	},
	"metric math": func(a *cloudwatch.PutMetricAlarmInput) {
		a.Metrics = []cloudwatchtypes.MetricDataQuery{{Id: aws.String("m"), Expression: aws.String("0")}}
		a.MetricName, a.Namespace, a.Statistic, a.Period = nil, nil, "", nil
	},
}

// relight undoes every change that makes its filters count less.
func TestWeakenedFilters(t *testing.T) {
	t.Parallel()
	for name, change := range narrowings {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, "")
			before := w.State()
			w.changeFilter(rootUsage, change)
			w.send(events.Read("PutMetricFilter.narrowed.json"), true)
			if diff := cmp.Diff(before, w.State()); diff != "" {
				t.Errorf("not restored (-before +after):\n%s", diff)
			}
		})
	}
}

var narrowings = map[string]func(*logstypes.MetricFilter){
	"pattern":       func(f *logstypes.MetricFilter) { f.FilterPattern = aws.String("{ $.eventName = Nothing }") },
	"empty":         func(f *logstypes.MetricFilter) { f.FilterPattern = aws.String("") },
	"value":         func(f *logstypes.MetricFilter) { f.MetricTransformations[0].MetricValue = aws.String("0") },
	"field value":   func(f *logstypes.MetricFilter) { f.MetricTransformations[0].MetricValue = aws.String("$.size") },
	"metric":        func(f *logstypes.MetricFilter) { f.MetricTransformations[0].MetricName = aws.String("unused") },
	"namespace":     func(f *logstypes.MetricFilter) { f.MetricTransformations[0].MetricNamespace = aws.String("unused") },
	"default":       func(f *logstypes.MetricFilter) { f.MetricTransformations[0].DefaultValue = aws.Float64(7) },
	"criteria":      func(f *logstypes.MetricFilter) { f.FieldSelectionCriteria = aws.String(`@aws.region = "nowhere-1"`) },
	"system fields": func(f *logstypes.MetricFilter) { f.EmitSystemFieldDimensions = []string{"@aws.region"} },
	"dimensions": func(f *logstypes.MetricFilter) {
		f.MetricTransformations[0].Dimensions = map[string]string{"who": "$.userIdentity.arn"}
	},
}

// Any filter and alarm that measure the same satisfy a control. relight creates
// its own only if there are none.
func TestForeignHolders(t *testing.T) {
	t.Parallel()
	c := catalog.Controls()[2]
	spaced := strings.ReplaceAll(strings.ReplaceAll(c.Pattern, "&&", " \n&&  "), "{", "{ ")
	filter := home + " metric-filter " + trailGroup + " relight-" + c.ID
	alarm := home + " alarm relight-" + c.ID
	tests := []struct {
		name                string
		pattern             string
		subscribers         int  // of the topic of their alarm
		muted               bool // their alarm
		ourFilter, ourAlarm bool
		alarmOnTheirs       bool // relight has an alarm on their metric
	}{
		{name: "equal up to white space", pattern: spaced, subscribers: 1},
		{name: "narrower", pattern: "{ $.eventName = X && $.eventName = Y }", subscribers: 1, ourFilter: true, ourAlarm: true},
		{name: "their alarm notifies nobody", pattern: c.Pattern, alarmOnTheirs: true},
		{name: "their alarm is muted", pattern: c.Pattern, subscribers: 1, muted: true, alarmOnTheirs: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := deployed(t, "")
			theirs := w.AddTopic(home, "theirs", tt.subscribers)
			w.putFilter(trailGroup, filterOf("their-filter", tt.pattern, "theirs", "root"))
			in := alarmOn("their-alarm", "theirs", "root", theirs)
			in.ActionsEnabled = aws.Bool(!tt.muted)
			w.putAlarm(in)
			before := w.State()
			w.sweep(app.Request{})
			after := w.State()
			if got := after[filter] != ""; got != tt.ourFilter {
				t.Errorf("relight has a filter: %t, want %t", got, tt.ourFilter)
			}
			if got := after[alarm] != ""; got != tt.ourAlarm {
				t.Errorf("relight has an alarm on its own metric: %t, want %t", got, tt.ourAlarm)
			}
			onTheirs := slices.ContainsFunc(w.Alarms(home), func(n string) bool { return strings.HasPrefix(n, "relight-"+c.ID+"-") })
			if onTheirs != tt.alarmOnTheirs {
				t.Errorf("relight has an alarm on their metric: %t, want %t", onTheirs, tt.alarmOnTheirs)
			}
			for key, was := range before {
				if after[key] != was {
					t.Errorf("%s changed from %s to %s", key, was, after[key])
				}
			}
			if s := w.sweep(app.Request{}); s.Planned != 0 {
				t.Errorf("a second sweep plans %d actions: %+v", s.Planned, s)
			}
			if gaps := w.gaps(); len(gaps) > 0 {
				t.Errorf("not protected: %v", gaps)
			}
		})
	}
}

// The sweep reports what a person must know of the account. A finding is not a
// failure.
func TestFindings(t *testing.T) {
	t.Parallel()
	trailARN := "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"
	orgTrail := cloudtrailtypes.Trail{
		TrailARN: aws.String("arn:aws:cloudtrail:us-east-1:444455556666:trail/org"), HomeRegion: aws.String(home),
		IsMultiRegionTrail: aws.Bool(true), IsOrganizationTrail: aws.Bool(true),
		CloudWatchLogsLogGroupArn: aws.String("arn:aws:logs:us-east-1:444455556666:log-group:aws-controltower/CloudTrailLogs:*"),
	}
	tests := []struct {
		name    string
		arrange func(*world)
		forget  bool   // relight remembers nothing of the trail
		finding string // in one of the findings; "" for none at all
		skipped string
		idle    bool // there is no log group on which filters and alarms can depend
	}{
		{name: "healthy", arrange: func(*world) {}},
		{name: "no trail", forget: true, arrange: func(w *world) { w.RemoveTrail(trailARN) }, finding: "no multi-region trail", idle: true},
		{
			name: "trail of one region", forget: true, finding: "no multi-region trail", idle: true,
			arrange: func(w *world) {
				w.AddTrail(cloudtrailtypes.Trail{
					TrailARN: aws.String(trailARN), HomeRegion: aws.String(home), IsMultiRegionTrail: aws.Bool(false),
					CloudWatchLogsLogGroupArn: aws.String("arn:aws:logs:us-east-1:111122223333:log-group:" + trailGroup + ":*"),
				})
			},
		},
		{
			name: "trail without a log group", forget: true, finding: "delivers to no log group", idle: true,
			arrange: func(w *world) {
				w.AddTrail(cloudtrailtypes.Trail{TrailARN: aws.String(trailARN), HomeRegion: aws.String(home), IsMultiRegionTrail: aws.Bool(true), IncludeGlobalServiceEvents: aws.Bool(true), LogFileValidationEnabled: aws.Bool(true)})
			},
		},
		{
			name: "trail of another home", forget: true, finding: "Deploy relight in the trail's home region, eu-west-1", idle: true,
			arrange: func(w *world) {
				w.RemoveTrail(trailARN)
				w.AddTrail(cloudtrailtypes.Trail{
					TrailARN: aws.String("arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit"), HomeRegion: aws.String(second), IsMultiRegionTrail: aws.Bool(true),
					CloudWatchLogsLogGroupArn: aws.String("arn:aws:logs:eu-west-1:111122223333:log-group:" + trailGroup + ":*"),
				})
			},
		},
		{
			name: "member of an organisation", forget: true, skipped: "not applicable", idle: true, finding: "somebody deleted it",
			arrange: func(w *world) {
				w.RemoveTrail(trailARN)
				w.AddTrail(orgTrail)
			},
		},
		{name: "own trail beside the organisation's", arrange: func(w *world) { w.AddTrail(orgTrail) }},
		{
			name: "two trails", forget: true, finding: "it is the first by ARN", // "audit" before "zweite"
			arrange: func(w *world) { w.AddTrailTo("zweite", "zweite") },
		},
		{
			name: "two trails, one remembered", finding: "trail/audit: relight chose it because it is the remembered one, but other trails qualify too",
			arrange: func(w *world) { w.AddTrailTo("aaa", "aaa") },
		},
		{
			name: "own flow log that fails", finding: "FAILED (Access error)",
			arrange: func(w *world) { w.FailDelivery(home, "vpc-1", "Access error") },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := healthy(t, "")
			if tt.forget {
				w.forget()
			}
			tt.arrange(w)
			before := w.State()
			s := w.sweep(app.Request{})
			if diff := cmp.Diff(before, w.State()); diff != "" {
				t.Errorf("changed (-before +after):\n%s", diff)
			}
			if s.Unrestored != 0 {
				t.Errorf("%d unrestored, want 0: a finding is not a failure", s.Unrestored)
			}
			var findings, skipped []string
			for _, r := range s.Reports {
				for _, f := range r.Findings {
					findings = append(findings, f.Subject+": "+f.Problem+". "+f.Remedy)
				}
				skipped = append(skipped, r.Skipped...)
				healthy := r.Healthy
				if r.Kind == "alarms" {
					healthy -= len(w.config.Baseline().StackAlarms) // which need no trail
				}
				if (r.Kind == "loggroups" || r.Kind == "alarms") && tt.idle != (healthy == 0) {
					t.Errorf("%s has %d healthy", r.Kind, healthy)
				}
			}
			if got := strings.Join(findings, "\n"); !strings.Contains(got, tt.finding) || tt.finding == "" && got != "" {
				t.Errorf("findings %q, want %q", got, tt.finding)
			}
			if got := strings.Join(skipped, "\n"); !strings.Contains(got, tt.skipped) {
				t.Errorf("skipped %q, want %q", got, tt.skipped)
			}
		})
	}
}

// Control Tower denies changes to its log group, so relight only reports its
// retention, but relight may add filters.
func TestControlTower(t *testing.T) {
	t.Parallel()
	const towers = "aws-controltower/CloudTrailLogs"
	w := deployed(t, "")
	w.RemoveTrail("arn:aws:cloudtrail:us-east-1:111122223333:trail/audit")
	w.AddTrailTo("tower", towers)
	w.putRetention(home, towers, 14)
	before := w.State()[home+" log-group "+towers]
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.LogGroups}})
	if got := w.State()[home+" log-group "+towers]; got != before {
		t.Errorf("the group changed from %s to %s", before, got)
	}
	if s.Repaired != len(catalog.Controls()) || s.Findings != 1 {
		t.Errorf("repaired %d, findings %d; want every filter and one finding", s.Repaired, s.Findings)
	}
	w.deleteGroup(home, towers)
	writes := len(w.Writes())
	s = w.sweep(app.Request{Kinds: []catalog.Kind{catalog.LogGroups}})
	made := slices.DeleteFunc(w.Writes()[writes:], func(w awstest.Write) bool { return w.Target == findingsMemory })
	if s.Findings != 1 || len(made) > 0 {
		t.Errorf("findings %d, writes %v; want one finding about the missing group", s.Findings, made)
	}
}

// Flow logs that are not relight's count if they satisfy the policy. If none
// does, relight creates its own beside them.
func TestForeignFlowLogs(t *testing.T) {
	t.Parallel()
	toS3 := func(traffic ec2types.TrafficType, format *string) func(*world) {
		return func(w *world) {
			must(w.EC2.CreateFlowLogs(w.t.Context(), &ec2.CreateFlowLogsInput{
				ResourceIds: []string{"vpc-1"}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: traffic,
				LogDestinationType: ec2types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::bucket"), LogFormat: format,
			}))
		}
	}
	tests := []struct {
		name   string
		config string
		theirs func(*world)
		made   bool
	}{
		{name: "none", theirs: func(*world) {}, made: true},
		{name: "REJECT to S3", theirs: toS3("REJECT", nil)},
		{name: "ALL to S3", theirs: toS3("ALL", nil)},
		{name: "ACCEPT", theirs: toS3("ACCEPT", nil), made: true},
		{name: "fields missing", theirs: toS3("ALL", aws.String("${srcaddr} ${dstaddr}")), made: true},
		{name: "more fields", theirs: toS3("ALL", aws.String(catalog.DefaultFlowLogFormat+" ${vpc-id}"))},
		{name: "destination not allowed", config: `{"flowLogs":{"destinations":["cloud-watch-logs"]}}`, theirs: toS3("ALL", nil), made: true},
		{name: "delivery fails", made: true, theirs: func(w *world) {
			toS3("ALL", nil)(w)
			w.FailDelivery(home, "vpc-1", "Access error")
		}},
		{name: "on a subnet", made: true, theirs: func(w *world) {
			must(w.EC2.CreateFlowLogs(w.t.Context(), &ec2.CreateFlowLogsInput{
				ResourceIds: []string{"subnet-1"}, ResourceType: ec2types.FlowLogsResourceTypeSubnet, TrafficType: "ALL",
				LogGroupName: aws.String("subnets"), DeliverLogsPermissionArn: aws.String(theirRole),
			}))
		}},
		{name: "group by ARN", theirs: func(w *world) {
			must(w.EC2.CreateFlowLogs(w.t.Context(), &ec2.CreateFlowLogsInput{
				ResourceIds: []string{"vpc-1"}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: "ALL",
				LogDestination: aws.String("arn:aws:logs:us-east-1:111122223333:log-group:theirs:*"), DeliverLogsPermissionArn: aws.String(theirRole),
			}))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := deployed(t, tt.config)
			tt.theirs(w)
			had := w.FlowLogs(home, "vpc-1")
			w.sweep(app.Request{})
			has := w.FlowLogs(home, "vpc-1")
			if got := len(has) - len(had); (got == 1) != tt.made || got > 1 {
				t.Errorf("%d new flow logs, want one: %t", got, tt.made)
			}
			for _, id := range had {
				if !slices.Contains(has, id) {
					t.Errorf("%s was deleted", id)
				}
			}
			if s := w.sweep(app.Request{}); s.Planned != 0 {
				t.Errorf("a second sweep plans %d actions: %+v", s.Planned, s)
			}
		})
	}
}

// The log group behind a flow log that counts is also protected, whoever
// created it.
func TestGroupBehindForeignFlowLog(t *testing.T) {
	t.Parallel()
	w := deployed(t, "")
	w.createGroup(home, "theirs")
	w.putRetention(home, "theirs", 30)
	w.createFlowLog(home, "vpc-1", "ALL", "theirs")
	w.sweep(app.Request{})
	if got := w.State()[home+" log-group theirs"]; !strings.Contains(got, `"retention":365`) {
		t.Errorf("the group is %s, want a retention of 365 days", got)
	}
	w.deleteGroup(home, "theirs")
	raw := []byte(`{"id":"e","detail-type":"AWS API Call via CloudTrail","source":"aws.logs","account":"111122223333","region":"us-east-1",
		"detail":{"eventName":"DeleteLogGroup","requestParameters":{"logGroupName":"theirs"}}}`)
	w.send(raw, true)
	if got := w.State()[home+" log-group theirs"]; got == "" {
		t.Error("the group was not created again")
	}
}

// relight skips some VPCs, and the report gives the reason.
func TestVPCsLeftAlone(t *testing.T) {
	t.Parallel()
	w := deployed(t, `{}`)
	w.config.FlowLogs.ExemptVPCs = []string{"vpc-1"}
	w.AddSharedVPC(home, "vpc-7", other)
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.FlowLogs}, Regions: []string{home}})
	if n := len(w.FlowLogs(home, "vpc-1")) + len(w.FlowLogs(home, "vpc-7")); n != 0 {
		t.Errorf("%d flow logs on VPCs that relight must skip", n)
	}
	want := []string{"vpc-1: exempt by configuration", "vpc-7: shared by account 444455556666, and only that account can log it"}
	if diff := cmp.Diff(want, s.Reports[0].Skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

// A log group that has reached its quota of filters has no room for relight's
// filters. People are notified once an event asks for one.
func TestFilterQuota(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	filterDeleted(rootUsage).do(w)
	for i := range awstest.FiltersPerGroup - len(catalog.Controls()) + 1 {
		name := fmt.Sprintf("theirs-%d", i)
		w.putFilter(trailGroup, filterOf(name, "ERROR", "theirs", name))
	}
	told := len(w.Messages())
	again, errs := w.send(events.Read("DeleteMetricFilter.ours.json"), true)
	if len(again)+len(errs) > 0 {
		t.Errorf("failed: %v, %v; another delivery cannot help", again, errs)
	}
	if m := w.Messages()[told:]; len(m) != 1 || !strings.Contains(m[0].Text, "(the log group has the maximum of 100 metric filters: delete those that nothing uses") ||
		!strings.Contains(m[0].Text, "it has 100 metric filters and takes 100, so relight cannot restore 1 filter") {
		t.Errorf("messages %+v, want one about the quota", m)
	}
}
