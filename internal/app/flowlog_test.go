package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"pgregory.net/rapid"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/report"
)

const (
	richFormat = catalog.DefaultFlowLogFormat + " ${vpc-id} ${flow-direction}"
	poorFormat = "${version} ${account-id} ${action}"
)

// logs returns the flow logs of a VPC in the home region.
func (w *world) logs(vpc string) []ec2types.FlowLog {
	w.t.Helper()
	return must(w.EC2.DescribeFlowLogs(w.t.Context(), &ec2.DescribeFlowLogsInput{
		Filter: []ec2types.Filter{{Name: aws.String("resource-id"), Values: []string{vpc}}},
	})).FlowLogs
}

// describe returns what differs between flow logs, one line each, sorted.
func describe(logs []ec2types.FlowLog) []string {
	var lines []string
	for _, fl := range logs {
		format := "default"
		switch aws.ToString(fl.LogFormat) {
		case richFormat:
			format = "rich"
		case poorFormat:
			format = "poor"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %d", fl.TrafficType, aws.ToString(fl.LogGroupName), format, aws.ToInt32(fl.MaxAggregationInterval)))
	}
	slices.Sort(lines)
	return lines
}

// intrude creates a flow log that is not relight's.
func (w *world) intrude(vpc string, change func(*ec2.CreateFlowLogsInput)) string {
	w.t.Helper()
	in := &ec2.CreateFlowLogsInput{
		ResourceIds: []string{vpc}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeReject,
		LogGroupName: aws.String(flowLogGroup), DeliverLogsPermissionArn: aws.String(theirRole), LogFormat: aws.String(poorFormat),
	}
	if change != nil {
		change(in)
	}
	out := must(w.EC2.CreateFlowLogs(w.t.Context(), in))
	if len(out.Unsuccessful) > 0 {
		w.t.Fatal(*out.Unsuccessful[0].Error.Message)
	}
	return out.FlowLogIds[0]
}

// sweepFlowLogs sweeps the flow logs of the home region, and before them the role
// that they deliver with. It returns the report of the flow logs alone.
func (w *world) sweepFlowLogs() app.Sweep {
	w.t.Helper()
	s := w.sweep(app.Request{Regions: []string{home}, Kinds: []catalog.Kind{catalog.DeliveryRoles, catalog.FlowLogs}})
	s.Reports = slices.DeleteFunc(s.Reports, func(r report.View) bool { return r.Kind != string(catalog.FlowLogs) })
	return s
}

// written returns the writes that changed more than relight's memory.
func (w *world) written() []string {
	var writes []string
	for _, write := range w.Writes() {
		if write.Op != "PutParameter" {
			writes = append(writes, write.String())
		}
	}
	return writes
}

// A change of the configuration reaches relight's own flow logs. The VPC has one
// that satisfies the policy at every moment, and the old one goes an hour later,
// whether or not EC2 takes two flow logs for duplicates that differ only in their
// format or interval.
func TestChangedFlowLogConfiguration(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, before string
		change       func(*world)
		sweeps       [][]string // the flow logs after each sweep
		distinct     [][]string // likewise, if EC2 accepts such flow logs beside each other
	}{
		{
			name: "more fields", change: func(w *world) { w.config.FlowLogs.Format = richFormat },
			sweeps: [][]string{
				{"ALL relight-flow-logs rich 600", "REJECT relight-flow-logs default 600"},
				{"ALL relight-flow-logs rich 600"},
				{"ALL relight-flow-logs rich 600", "REJECT relight-flow-logs rich 600"},
				{"REJECT relight-flow-logs rich 600"},
			},
			distinct: [][]string{{"REJECT relight-flow-logs default 600", "REJECT relight-flow-logs rich 600"}, {"REJECT relight-flow-logs rich 600"}},
		},
		{
			name: "another interval", change: func(w *world) { w.config.FlowLogs.AggregationSeconds = 60 },
			sweeps: [][]string{
				{"ALL relight-flow-logs default 60", "REJECT relight-flow-logs default 600"},
				{"ALL relight-flow-logs default 60"},
				{"ALL relight-flow-logs default 60", "REJECT relight-flow-logs default 60"},
				{"REJECT relight-flow-logs default 60"},
			},
			distinct: [][]string{{"REJECT relight-flow-logs default 60", "REJECT relight-flow-logs default 600"}, {"REJECT relight-flow-logs default 60"}},
		},
		{
			name: "another log group", change: func(w *world) { w.config.FlowLogs.LogGroup = "new-flow-logs" },
			sweeps: [][]string{{"REJECT new-flow-logs default 600", "REJECT relight-flow-logs default 600"}, {"REJECT new-flow-logs default 600"}},
		},
		{
			name: "another log group, and the old one is deleted", change: func(w *world) {
				w.config.FlowLogs.LogGroup = "new-flow-logs"
				w.FailDelivery(home, "vpc-1", "Access error")
				w.deleteGroup(home, flowLogGroup)
			},
			sweeps: [][]string{{"REJECT new-flow-logs default 600", "REJECT relight-flow-logs default 600"}, {"REJECT new-flow-logs default 600"}},
		},
		{
			name: "less traffic", before: `{"flowLogs":{"trafficType":"ALL"}}`, change: func(w *world) { w.config.FlowLogs.TrafficType = "REJECT" },
			sweeps: [][]string{{"ALL relight-flow-logs default 600", "REJECT relight-flow-logs default 600"}, {"REJECT relight-flow-logs default 600"}},
		},
	}
	for _, tt := range tests {
		for _, distinct := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, distinct=%t", tt.name, distinct), func(t *testing.T) {
				w := healthy(t, tt.before)
				sweeps := tt.sweeps
				if distinct {
					w.Doubt("format-makes-no-other-flow-log")
					if tt.distinct != nil {
						sweeps = tt.distinct
					}
				}
				w.PageSize(0)
				tt.change(w)
				for i, want := range sweeps {
					s := w.sweepFlowLogs()
					if got := describe(w.logs("vpc-1")); !slices.Equal(got, want) {
						t.Errorf("after sweep %d: flow logs %q, want %q", i, got, want)
					}
					if s.Unrestored != 0 || s.Findings != 0 && tt.name != "another log group, and the old one is deleted" {
						t.Errorf("sweep %d: %d unrestored, %+v", i, s.Unrestored, s.Reports)
					}
					w.anHour()
				}
				if s := w.sweepFlowLogs(); s.Planned != 0 || s.Findings != 0 {
					t.Errorf("a last sweep: %+v", s)
				}
			})
		}
	}
}

// A flow log that is in the way of relight's own does not leave a VPC bare, and is
// not mistaken for a success: relight creates one that differs, or says what to
// delete.
func TestFlowLogInTheWay(t *testing.T) {
	t.Parallel()
	all := func(in *ec2.CreateFlowLogsInput) { in.TrafficType = ec2types.TrafficTypeAll }
	otherGroup := func(in *ec2.CreateFlowLogsInput) { in.LogGroupName = aws.String("theirs") }
	tests := []struct {
		name, config string
		intruders    []func(*ec2.CreateFlowLogsInput)
		fails        bool
		covered      bool
		code         string // of the finding; "" for none
	}{
		{name: "narrow", intruders: []func(*ec2.CreateFlowLogsInput){nil}, covered: true},
		{name: "narrow, by ARN", intruders: []func(*ec2.CreateFlowLogsInput){func(in *ec2.CreateFlowLogsInput) {
			in.LogGroupName, in.LogDestination = nil, aws.String("arn:aws:logs:us-east-1:111122223333:log-group:"+flowLogGroup+":*")
		}}, covered: true},
		{name: "narrow, of another deployment", intruders: []func(*ec2.CreateFlowLogsInput){func(in *ec2.CreateFlowLogsInput) {
			in.TagSpecifications = []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeVpcFlowLog, Tags: []ec2types.Tag{{Key: aws.String(catalog.OwnerTag), Value: aws.String("acme")}}}}
		}}, covered: true},
		{name: "narrow, each minute", intruders: []func(*ec2.CreateFlowLogsInput){func(in *ec2.CreateFlowLogsInput) { in.MaxAggregationInterval = aws.Int32(60) }}, covered: true},
		{name: "narrow and failing", intruders: []func(*ec2.CreateFlowLogsInput){nil}, fails: true, covered: true, code: "flowlog-failed"},
		{name: "one field short", intruders: []func(*ec2.CreateFlowLogsInput){func(in *ec2.CreateFlowLogsInput) {
			in.LogFormat = aws.String(strings.Replace(catalog.DefaultFlowLogFormat, " ${action}", "", 1))
		}}, covered: true},
		{name: "accepted traffic", intruders: []func(*ec2.CreateFlowLogsInput){func(in *ec2.CreateFlowLogsInput) { in.TrafficType = ec2types.TrafficTypeAccept }}, covered: true},
		{name: "narrow, to a bucket", intruders: []func(*ec2.CreateFlowLogsInput){func(in *ec2.CreateFlowLogsInput) {
			in.LogGroupName, in.DeliverLogsPermissionArn = nil, nil
			in.LogDestinationType, in.LogDestination = ec2types.LogDestinationTypeS3, aws.String("arn:aws:s3:::audit-"+account)
		}}, covered: true},
		{name: "as wanted, without relight's tag", intruders: []func(*ec2.CreateFlowLogsInput){func(in *ec2.CreateFlowLogsInput) { in.LogFormat = nil }}, covered: true},
		{name: "as wanted, each minute", intruders: []func(*ec2.CreateFlowLogsInput){func(in *ec2.CreateFlowLogsInput) {
			in.LogFormat, in.MaxAggregationInterval = nil, aws.Int32(60)
		}}, covered: true},
		{name: "narrow, and a narrow one of ALL by ARN", intruders: []func(*ec2.CreateFlowLogsInput){nil, func(in *ec2.CreateFlowLogsInput) {
			all(in)
			in.LogGroupName, in.LogDestination = nil, aws.String("arn:aws:logs:us-east-1:111122223333:log-group:"+flowLogGroup)
		}}, code: "flowlog-in-the-way"},
		{name: "failing", intruders: []func(*ec2.CreateFlowLogsInput){func(in *ec2.CreateFlowLogsInput) { in.LogFormat = nil }}, fails: true, covered: true, code: "flowlog-failed"},
		{name: "narrow, and ALL is wanted", config: `{"flowLogs":{"trafficType":"ALL"}}`, intruders: []func(*ec2.CreateFlowLogsInput){all}, code: "flowlog-in-the-way"},
		{name: "two that are narrow", intruders: []func(*ec2.CreateFlowLogsInput){nil, all}, code: "flowlog-in-the-way"},
		{name: "two that are narrow, one elsewhere", intruders: []func(*ec2.CreateFlowLogsInput){nil, otherGroup}, code: "vpc-full"},
		{name: "two elsewhere", intruders: []func(*ec2.CreateFlowLogsInput){otherGroup, func(in *ec2.CreateFlowLogsInput) { otherGroup(in); all(in) }}, code: "vpc-full"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := healthy(t, tt.config)
			w.deleteFlowLogs(home, "vpc-1", "vpc-2")
			var ids []string
			for _, change := range tt.intruders {
				ids = append(ids, w.intrude("vpc-1", change))
			}
			if tt.fails {
				w.FailDelivery(home, "vpc-1", "Access error")
			}
			told := len(w.Messages())
			if again, errs := w.send([]byte(call("aws.ec2", "DeleteFlowLogs", `"requestParameters":null`)), true); len(again)+len(errs) > 0 {
				t.Errorf("failed: %v, %v; another delivery cannot help", again, errs)
			}
			if covered := !slices.Contains(w.gaps(), "vpc-1"); covered != (tt.covered || tt.code == "flowlog-in-the-way" || tt.code == "vpc-full") {
				t.Errorf("covered: %t", covered)
			}
			if slices.Contains(w.gaps(), "vpc-2") {
				t.Error("vpc-2 was not restored")
			}
			if m := w.Messages()[told:]; len(m) != 1 || !strings.Contains(m[0].Text, "vpc-2") || tt.code != "" && !strings.Contains(m[0].Text, "["+tt.code+"]") {
				t.Errorf("messages %+v, want one with %s", m, tt.code)
			}
			for i := range 4 {
				writes := len(w.written())
				s := w.sweepFlowLogs()
				f := s.Reports[0].Findings
				if tt.covered && (s.Unrestored != 0 || s.Planned != 0) || len(w.written()) != writes {
					t.Errorf("sweep %d: %+v, writes %v", i, s, w.written()[writes:])
				}
				if want := min(1, len(tt.code)); len(f) != want || want == 1 && f[0].Code != tt.code {
					t.Errorf("sweep %d: findings %+v, want %q once", i, f, tt.code)
				}
				for _, id := range ids {
					if !slices.Contains(w.FlowLogs(home, "vpc-1"), id) {
						t.Fatalf("sweep %d deleted %s, which is not relight's", i, id)
					}
				}
				w.anHour()
			}
			if tt.covered {
				return
			}
			must(w.EC2.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: ids[:1]})) // as the finding says
			if s := w.sweepFlowLogs(); s.Unrestored != 0 || s.Repaired != 1 {
				t.Errorf("with %s deleted: %+v", ids[0], s)
			}
		})
	}
}

// One VPC without room does not keep the others of a call from getting their flow
// logs, whichever way EC2 refuses it.
func TestFullVPCInBatch(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{false, true} {
		w := healthy(t, "")
		if whole {
			w.Doubt("missing-vpc-fails-its-item", "flow-log-limit-fails-its-item")
		}
		w.deleteFlowLogs(home, "vpc-1", "vpc-2")
		w.createFlowLog(home, "vpc-1", "ACCEPT", "theirs")
		w.createFlowLog(home, "vpc-1", "ACCEPT", "theirs-too")
		s := w.sweepFlowLogs()
		if f := s.Reports[0].Findings; len(f) != 1 || f[0].Code != "vpc-full" || s.Repaired != 1 || slices.Contains(w.gaps(), "vpc-2") {
			t.Errorf("whole call fails: %t: %d restored, findings %+v, gaps %v", whole, s.Repaired, f, w.gaps())
		}
	}
}

// relight tries to create a flow log however many a VPC has: nobody documents the
// quota any more.
func TestUnknownFlowLogQuota(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.PageSize(0)
	w.FlowLogQuota(3)
	w.createFlowLog(home, "vpc-1", "ACCEPT", theirGroup)
	w.config.FlowLogs.TrafficType = "ALL"
	if s := w.sweepFlowLogs(); s.Unrestored != 0 || s.Findings != 0 || len(w.FlowLogs(home, "vpc-1")) != 3 {
		t.Errorf("%d flow logs, %+v", len(w.FlowLogs(home, "vpc-1")), s)
	}
	w.anHour()
	w.sweepFlowLogs()
	want := []string{"ACCEPT network-flow-logs default 600", "ALL relight-flow-logs default 600"}
	if got := describe(w.logs("vpc-1")); !slices.Equal(got, want) {
		t.Errorf("flow logs %q, want %q", got, want)
	}
}

// A flow log of somebody else's does not become relight's by its tag, so relight
// does not delete it.
func TestForgedTag(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.AddVPC(home, "vpc-9")
	w.createFlowLog(home, "vpc-9", "ACCEPT", theirGroup)
	theirs := w.FlowLogs(home, "vpc-9")[0]
	must(w.EC2.CreateTags(t.Context(), &ec2.CreateTagsInput{
		Resources: []string{theirs}, Tags: []ec2types.Tag{{Key: aws.String(catalog.OwnerTag), Value: aws.String("relight")}},
	}))
	for range 4 {
		w.sweepFlowLogs()
		w.anHour()
	}
	w.Doubt("flow-logs-go-with-their-vpc")
	must(w.EC2.DeleteVpc(t.Context(), &ec2.DeleteVpcInput{VpcId: aws.String("vpc-9")}))
	w.sweepFlowLogs()
	if got := w.FlowLogs(home, "vpc-9"); !slices.Equal(got, []string{theirs}) {
		t.Errorf("flow logs %v, want the owner's %s", got, theirs)
	}
}

// Whatever the configuration becomes and others do, and however EC2 refuses: no
// flow log of somebody else's goes, relight never deletes the last one that
// satisfies the policy, and sweeps come to rest.
func TestAnyFlowLogConfiguration(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := deployed(t, few)
		w.PageSize(0)
		w.sweepFlowLogs()
		coin := func(name string) bool { return rapid.Bool().Draw(rt, name) }
		if coin("distinct") {
			w.Doubt("format-makes-no-other-flow-log")
		}
		if coin("whole call fails") {
			w.Doubt("missing-vpc-fails-its-item", "flow-log-limit-fails-its-item")
		}
		w.FlowLogQuota(rapid.IntRange(1, 4).Draw(rt, "quota"))
		theirs := map[string]bool{}
		for range rapid.IntRange(1, 4).Draw(rt, "changes") {
			switch rapid.SampledFrom([]string{"format", "traffic", "interval", "group", "intrude", "delete", "fail"}).Draw(rt, "change") {
			case "format":
				w.config.FlowLogs.Format = rapid.SampledFrom([]string{"", richFormat, poorFormat}).Draw(rt, "format")
			case "traffic":
				w.config.FlowLogs.TrafficType = rapid.SampledFrom([]string{"ALL", "REJECT", "ACCEPT"}).Draw(rt, "traffic")
			case "interval":
				w.config.FlowLogs.AggregationSeconds = rapid.SampledFrom([]int32{60, 600}).Draw(rt, "interval")
			case "group":
				w.config.FlowLogs.LogGroup = rapid.SampledFrom([]string{flowLogGroup, "new-flow-logs"}).Draw(rt, "group")
			case "intrude":
				out, err := w.EC2.CreateFlowLogs(t.Context(), &ec2.CreateFlowLogsInput{
					ResourceIds: []string{"vpc-2"}, ResourceType: ec2types.FlowLogsResourceTypeVpc, DeliverLogsPermissionArn: aws.String(theirRole),
					TrafficType:  rapid.SampledFrom(ec2types.TrafficTypeAll.Values()).Draw(rt, "their traffic"),
					LogGroupName: aws.String(rapid.SampledFrom([]string{flowLogGroup, "new-flow-logs", "theirs"}).Draw(rt, "their group")),
					LogFormat:    aws.String(rapid.SampledFrom([]string{catalog.DefaultFlowLogFormat, poorFormat}).Draw(rt, "their format")),
				})
				if err == nil { // the VPC has room for it
					for _, id := range out.FlowLogIds {
						theirs[id] = true
					}
				}
			case "delete":
				w.deleteFlowLogs(home, "vpc-2")
				clear(theirs)
			case "fail":
				w.FailDelivery(home, "vpc-2", "Access error")
			}
			for range rapid.IntRange(0, 2).Draw(rt, "sweeps") {
				w.sweepFlowLogs()
				w.now = w.now.Add(rapid.SampledFrom([]time.Duration{time.Minute, 2 * time.Hour}).Draw(rt, "time"))
			}
		}
		had := func() (ids []string) {
			for _, fl := range w.logs("vpc-2") {
				if aws.ToString(fl.DeliverLogsStatus) == "SUCCESS" && (string(fl.TrafficType) == w.config.FlowLogs.TrafficType || fl.TrafficType == "ALL") {
					ids = append(ids, *fl.FlowLogId)
				}
			}
			return ids
		}
		for range 8 {
			before := had()
			w.sweepFlowLogs()
			left := slices.ContainsFunc(w.FlowLogs(home, "vpc-2"), func(id string) bool { return slices.Contains(before, id) })
			if len(before) > 0 && len(had()) == 0 && !left {
				rt.Fatalf("the last flow log that delivers was deleted: %v", before)
			}
			w.anHour()
		}
		for id := range theirs {
			if !slices.Contains(w.FlowLogs(home, "vpc-2"), id) {
				rt.Errorf("%s was deleted, which is not relight's", id)
			}
		}
		writes, known := len(w.written()), ""
		for i := range 2 {
			s := w.sweepFlowLogs()
			r := s.Reports[0]
			var unexplained []string
			for _, a := range r.Actions {
				if a.Error == "" || len(r.Findings) == 0 {
					unexplained = append(unexplained, a.Action)
				}
			}
			if found := fmt.Sprint(r.Findings); len(w.written()) != writes || len(unexplained) > 0 || len(r.Remaining) > len(r.Actions) || i > 0 && found != known {
				rt.Fatalf("sweeps do not come to rest: writes %v, %+v", w.written()[writes:], r)
			} else {
				known = found
			}
			if len(had()) == 0 && len(r.Findings) == 0 {
				rt.Fatalf("no flow log delivers, and no finding says so: %+v", r)
			}
			w.anHour()
		}
	})
}

// A flow log into relight's log group with relight's role is relight's own without its
// tag too: the tag comes back, in every region, and a change of the configuration
// still replaces it. One mark alone makes nothing relight's.
func TestUntaggedFlowLog(t *testing.T) {
	t.Parallel()
	for region, vpc := range map[string]string{home: "vpc-1", second: "vpc-3"} {
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, few)
			w.PageSize(0)
			own := w.FlowLogs(region, vpc)
			tags := func(ids []string) string {
				var all []string
				for _, fl := range must(w.In(region).EC2.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{MaxResults: aws.Int32(1000)})).FlowLogs {
					for _, tag := range fl.Tags {
						if slices.Contains(ids, *fl.FlowLogId) {
							all = append(all, *tag.Key+"="+*tag.Value)
						}
					}
				}
				return strings.Join(all, " ")
			}
			w.createFlowLog(region, vpc, "ALL", flowLogGroup) // a stranger's role, and no tag
			strangers := slices.DeleteFunc(w.FlowLogs(region, vpc), func(id string) bool { return slices.Contains(own, id) })
			must(w.In(region).EC2.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: own}))
			told := w.mailOf(w.sweepAll)
			if got := tags(own); got != "relight=relight" || !strings.Contains(told, "tags of flow log "+own[0]) {
				t.Errorf("tags %q; people read %q", got, told)
			}
			if got := tags(strangers); len(strangers) != 1 || got != "" || !slices.Contains(w.FlowLogs(region, vpc), strangers[0]) {
				t.Errorf("the stranger's %v of %v has tags %q", strangers, w.FlowLogs(region, vpc), got)
			}
			if s := w.sweep(app.Request{}); s.Planned != 0 {
				t.Errorf("afterwards %+v", s)
			}
			must(w.In(region).EC2.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: strangers}))
			must(w.In(region).EC2.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: own}))
			w.config.FlowLogs.AggregationSeconds = 60
			for range 4 {
				w.anHour()
				w.sweepAll()
			}
			if now := w.FlowLogs(region, vpc); len(now) != 1 || now[0] == own[0] {
				t.Errorf("flow logs %v after a change of the configuration, were %v", now, own)
			}
		})
	}
}
