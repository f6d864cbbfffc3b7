package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

const (
	toBucket = `{"flowLogs":{"destination":{"arn":"arn:aws:s3:::flows-111122223333/relight/","fileFormat":"parquet","hiveCompatiblePartitions":true,"perHourPartition":true}}}`
	toStream = `{"flowLogs":{"destination":{"arn":"arn:aws:firehose:{region}:111122223333:deliverystream/flow-logs"}}}`
	toOther  = `{"flowLogs":{"destination":{"arn":"arn:aws:firehose:{region}:444455556666:deliverystream/central",` +
		`"roleArn":"arn:aws:iam::111122223333:role/central-flow-logs","crossAccountRoleArn":"arn:aws:iam::444455556666:role/receives"}}}`
	flowBucket = "flows-111122223333"
)

// lines returns the flow logs on a resource of the home region, one line each, sorted.
func (w *world) lines(on string) []string {
	w.t.Helper()
	w.PageSize(0)
	defer w.PageSize(1)
	var lines []string
	for _, fl := range w.logs(on) {
		words := []string{string(fl.TrafficType), aws.ToString(fl.LogGroupName), aws.ToString(fl.LogDestination)}
		if o := fl.DestinationOptions; o != nil {
			words = append(words, fmt.Sprint(o.FileFormat, " hive=", aws.ToBool(o.HiveCompatiblePartitions), " hourly=", aws.ToBool(o.PerHourPartition)))
		}
		if fl.DeliverCrossAccountRole != nil {
			words = append(words, *fl.DeliverLogsPermissionArn, *fl.DeliverCrossAccountRole)
		}
		lines = append(lines, strings.Join(strings.Fields(strings.Join(words, " ")), " "))
	}
	slices.Sort(lines)
	return lines
}

// onDestinations runs a test for each destination that is no log group, with the flow
// log that a VPC has then.
func onDestinations(t *testing.T, test func(t *testing.T, w *world, want string)) {
	t.Helper()
	for _, tt := range []struct{ name, config, want string }{
		{"bucket", toBucket, "REJECT arn:aws:s3:::flows-111122223333/relight parquet hive=true hourly=true"},
		{"stream", toStream, "REJECT arn:aws:firehose:us-east-1:111122223333:deliverystream/flow-logs"},
		{"stream of another account", toOther, "REJECT arn:aws:firehose:us-east-1:444455556666:deliverystream/central arn:aws:iam::111122223333:role/central-flow-logs arn:aws:iam::444455556666:role/receives"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := deployed(t, tt.config)
			for _, region := range []string{home, second} {
				w.SetStream("arn:aws:firehose:"+region+":444455556666:deliverystream/central", true)
			}
			w.AddRole("arn:aws:iam::111122223333:role/central-flow-logs", 0)
			w.PageSize(0)
			w.sweep(app.Request{})
			test(t, w, tt.want)
		})
	}
}

// relight's own flow logs go to the configured bucket or stream, come back after an
// event and after a sweep, and a second run writes nothing.
func TestDestinations(t *testing.T) {
	t.Parallel()
	onDestinations(t, func(t *testing.T, w *world, want string) {
		check := func(when string) {
			t.Helper()
			if diff := cmp.Diff([]string{want}, w.lines("vpc-1")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		check("first sweep")
		if groups := w.State()[home+" log-group "+flowLogGroup]; groups != "" {
			t.Error("a log group for flow logs that go elsewhere")
		}
		n := len(w.Writes())
		if s := w.sweep(app.Request{}); len(w.changes(n)) > 0 || s.Findings > 0 {
			t.Errorf("the second sweep wrote %v, with %d findings", w.changes(n), s.Findings)
		}

		w.deleteFlowLogs(home, "vpc-1", "vpc-2")
		w.send(events.Read("DeleteFlowLogs.several.json"), true)
		check("after an event")
		n = len(w.Writes())
		w.send(events.Read("DeleteFlowLogs.several.json"), true)
		if again := w.changes(n); len(again) > 0 {
			t.Errorf("the second delivery wrote %v", again)
		}

		w.deleteFlowLogs(home, "vpc-1")
		must(w.EC2.CreateFlowLogs(t.Context(), &ec2.CreateFlowLogsInput{ // a weaker one, in its place
			ResourceIds: []string{"vpc-1"}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: "ACCEPT",
			LogGroupName: aws.String("weak"), DeliverLogsPermissionArn: aws.String(theirRole),
		}))
		w.sweep(app.Request{})
		if got := w.lines("vpc-1"); !slices.Contains(got, want) {
			t.Errorf("beside a weaker one: %v", got)
		}
	})
}

// With another destination, the VPC always has a flow log that satisfies the policy,
// and relight's old one goes once the new one is proven.
func TestMovedDestination(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, before, after string }{
		{"from the log group to a bucket", "", toBucket},
		{"from the log group to a stream", "", toStream},
		{"from one bucket's folder to another", strings.Replace(toBucket, "relight/", "old", 1), toBucket},
		{"to other files", strings.Replace(toBucket, "parquet", "plain-text", 1), toBucket},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, tt.before)
			w.PageSize(0)
			old := w.lines("vpc-1")
			w.config = configured(t, tt.after)
			w.anHour()
			w.sweep(app.Request{})
			if got := w.lines("vpc-1"); len(got) == 0 || !slices.Contains(got, old[0]) {
				t.Fatalf("%v, want the old one kept", got)
			}
			for range 3 {
				w.anHour()
				w.anHour()
				w.sweep(app.Request{})
			}
			fresh := deployed(t, tt.after)
			fresh.sweep(app.Request{})
			if diff := cmp.Diff(fresh.lines("vpc-1"), w.lines("vpc-1")); diff != "" && tt.name != "from one bucket's folder to another" && tt.name != "to other files" {
				t.Errorf("in the end (-want +got):\n%s", diff)
			} else if got := w.lines("vpc-1"); diff != "" && !slices.Contains(got, fresh.lines("vpc-1")[0]) && !strings.HasPrefix(got[0], "ALL ") {
				t.Errorf("in the end %v", got)
			}
			n := len(w.Writes())
			w.anHour()
			w.sweep(app.Request{})
			if again := w.changes(n); len(again) > 0 {
				t.Errorf("it does not come to rest: %v", again)
			}
		})
	}
}

// An event about the bucket of relight's own flow logs, and each sweep, say what keeps
// them from delivering, and which statements the policy lacks. relight changes nothing.
func TestBucketOfFlowLogs(t *testing.T) {
	t.Parallel()
	const denied = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`
	tests := []struct {
		name, event string
		harm        func(*world)
		code        string // of the finding, "" for none
	}{
		{"policy removed", "DeleteBucketPolicy.logs.json", func(w *world) { w.SetBucket(flowBucket, "") }, "flow-log-bucket-shut"},
		{"everybody denied", "PutBucketPolicy.logs.json", func(w *world) { w.SetBucket(flowBucket, denied) }, "flow-log-bucket-shut"},
		{"bucket deleted", "DeleteBucket.logs.json", func(w *world) { w.DropBucket(flowBucket) }, "flow-log-bucket-missing"},
		{"nothing wrong", "PutBucketPolicy.logs.json", func(w *world) {}, ""},
		{"another account's", "PutBucketPolicy.logs.json", func(w *world) { w.OpenBucket(flowBucket, true) }, ""},
		{"an answer that relight does not know", "PutBucketPolicy.logs.json", func(w *world) { w.Fail("GetBucketPolicy", "AllAccessDisabled", "AllAccessDisabled") }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, toBucket)
			w.PageSize(0)
			tt.harm(w)
			told, n := len(w.Messages()), len(w.Writes())
			event := strings.ReplaceAll(string(events.Read(tt.event)), "audit-111122223333", flowBucket)
			if again, errs := w.send([]byte(event), false); len(again)+len(errs) > 0 {
				t.Errorf("failed: %v, %v", again, errs)
			}
			text := w.told(told)
			says := strings.Contains(text, "flow logs of us-east-1 go to it, and it does not")
			lacks := strings.Contains(text, "AWSLogDeliveryWrite") && strings.Contains(text, `aws-account-id=111122223333/*`)
			if says != (tt.code != "") || lacks != (tt.code == "flow-log-bucket-shut") {
				t.Errorf("messages:\n%s", text)
			}
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.FlowLogs}, Regions: []string{home}})
			if codes := codesOf(s); slices.Contains(codes, tt.code) != (tt.code != "") || tt.code == "" && len(codes) > 0 {
				t.Errorf("the sweep found %v", codes)
			}
			if again := w.changes(n); len(again) > 0 {
				t.Errorf("writes: %v", again)
			}
		})
	}
}

// codesOf returns the codes of a sweep's findings.
func codesOf(s app.Sweep) (codes []string) {
	for _, r := range s.Reports {
		for _, f := range r.Findings {
			codes = append(codes, string(f.Code))
		}
	}
	return codes
}

// A subnet or network interface that the configuration chooses has a flow log of its
// own, whether it is chosen by ID or by tag; any other has none, and costs an event one
// read.
func TestChosenNetworks(t *testing.T) {
	t.Parallel()
	const byID = `{"flowLogs":{"subnets":{"ids":["subnet-0a1b2c3d4e5f60041"],"trafficType":"ALL"},"networkInterfaces":{"ids":["eni-0a1b2c3d4e5f60042"]}}}`
	tests := []struct {
		name, config, id, event string
		tags                    map[string]string
		want                    []string
	}{
		{"subnet by tag", choosing, chosenSubnet, "CreateSubnet.chosen.json", yes, []string{"ALL arn:aws:s3:::flows-111122223333/subnets parquet hive=false hourly=true"}},
		{"interface by tag", choosing, chosenInterface, "CreateNetworkInterface.chosen.json", yes, []string{"REJECT " + flowStream}},
		{"subnet by ID", byID, chosenSubnet, "CreateSubnet.chosen.json", nil, []string{"ALL " + flowLogGroup}},
		{"interface by ID", byID, chosenInterface, "CreateNetworkInterface.chosen.json", nil, []string{"REJECT " + flowLogGroup}},
		{"another tag's value", choosing, chosenSubnet, "CreateSubnet.chosen.json", map[string]string{"sensitive": "no"}, nil},
		{"no tag", choosing, chosenInterface, "CreateNetworkInterface.chosen.json", nil, nil},
		{"nothing is chosen", "", chosenSubnet, "CreateSubnet.chosen.json", yes, nil},
	}
	for _, tt := range tests {
		for _, by := range []string{"event", "sweep"} {
			t.Run(tt.name+" by "+by, func(t *testing.T) {
				t.Parallel()
				w := healthy(t, tt.config)
				w.AddNetwork(home, tt.id, tt.tags)
				before := w.Calls()
				run := func() {
					if by == "event" {
						w.send(events.Read(tt.event), true)
					} else {
						w.sweep(app.Request{})
					}
				}
				run()
				if calls := w.Calls().Since(before); by == "event" && tt.want == nil && calls.Total() > 1 {
					t.Errorf("calls %v, want one read at most", calls)
				}
				if diff := cmp.Diff(tt.want, w.lines(tt.id)); diff != "" {
					t.Errorf("flow logs (-want +got):\n%s", diff)
				}
				n := len(w.Writes())
				run()
				if again := w.changes(n); len(again) > 0 {
					t.Errorf("a second run writes %v", again)
				}
				w.deleteFlowLogs(home, tt.id)
				w.send(events.Read("DeleteFlowLogs.one.json"), false)
				if diff := cmp.Diff(tt.want, w.lines(tt.id)); diff != "" {
					t.Errorf("after DeleteFlowLogs (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Without its tag, a subnet keeps the flow log that it has: relight neither restores
// nor deletes it, and says so.
func TestUnchosen(t *testing.T) {
	t.Parallel()
	w := healthy(t, choosing)
	w.AddNetwork(home, chosenSubnet, yes)
	w.PageSize(0)
	w.sweep(app.Request{})
	had := w.lines(chosenSubnet)
	must(w.EC2.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: []string{chosenSubnet}}))
	told := len(w.Messages())
	w.send(events.Read("DeleteTags.subnet.json"), true)
	if text := w.told(told); !strings.Contains(text, "Put the tag back") {
		t.Errorf("messages:\n%s", text)
	}
	n := len(w.Writes())
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.FlowLogs}, Regions: []string{home}})
	if diff := cmp.Diff(had, w.lines(chosenSubnet)); diff != "" || len(had) != 1 || len(w.changes(n)) > 0 {
		t.Errorf("flow logs (-before +after):\n%s\nwrites %v", diff, w.changes(n))
	}
	skips := fmt.Sprint(s.Reports[0].Skipped)
	if listed := unwanted(s); !strings.Contains(skips, chosenSubnet) || !strings.Contains(skips, "not chosen by the configuration") || !strings.Contains(skips, "delete-flow-logs") || len(listed) > 0 {
		t.Errorf("skipped: %s; unwanted: %q", skips, listed)
	}
}

// relight's flow log on a deleted subnet is deleted, if AWS leaves it there.
func TestDeletedSubnet(t *testing.T) {
	t.Parallel()
	outlives(t, func(t *testing.T, outlive bool) {
		t.Helper()
		w := healthy(t, choosing)
		if outlive {
			w.Doubt("flow-logs-go-with-their-vpc")
		}
		w.AddNetwork(home, chosenSubnet, yes)
		w.PageSize(0)
		w.sweep(app.Request{})
		must(w.EC2.DeleteSubnet(t.Context(), &ec2.DeleteSubnetInput{SubnetId: aws.String(chosenSubnet)}))
		if had := len(w.lines(chosenSubnet)); had != map[bool]int{true: 1}[outlive] {
			t.Fatalf("%d flow logs outlive it", had)
		}
		w.sweep(app.Request{})
		if left := w.lines(chosenSubnet); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
}

// A sweep of every region reports an ID of the configuration that none of them has, and
// says nothing if it could not read one of them.
func TestMissingTarget(t *testing.T) {
	t.Parallel()
	const config = `{"flowLogs":{"subnets":{"ids":["subnet-0a1b2c3d4e5f60041","subnet-0a1b2c3d4e5f60043"]},"networkInterfaces":{"ids":["eni-0a1b2c3d4e5f60042"]}}}`
	w := healthy(t, config)
	w.AddNetwork(second, chosenSubnet, nil)
	missing := func(req app.Request) (ids []string) {
		for _, r := range w.sweep(req).Reports {
			for _, f := range r.Findings {
				if f.Code == "flow-log-target-missing" {
					ids = append(ids, f.Subject)
				}
			}
		}
		return ids
	}
	want := []string{"eni-0a1b2c3d4e5f60042", "subnet-0a1b2c3d4e5f60043"}
	if diff := cmp.Diff(want, missing(app.Request{})); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	if got := missing(app.Request{Regions: []string{home}}); len(got) > 0 {
		t.Errorf("a sweep of one region says %v", got)
	}
	w.Deny("DescribeNetworkInterfaces")
	if got := missing(app.Request{}); len(got) > 0 {
		t.Errorf("with a region that it cannot read, a sweep says %v", got)
	}
}
