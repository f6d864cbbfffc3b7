package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
)

// TestTeardown makes the calls of a recorded teardown, in their order: a stack
// with a VPC, a flow log and a log group of its own comes and goes, and nothing
// of relight's is left where it was.
func TestTeardown(t *testing.T) {
	s := shared
	s.drain(t)
	want, err := s.Customer.Snapshot(t.Context(), s.Cloud.Root())
	if err != nil {
		t.Fatal(err)
	}
	const group = "network-flow-logs"
	who := s.Customer.Intruder.In(lab.Region)
	if _, err := who.Logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group)}); err != nil {
		t.Fatal(err)
	}
	vpc, err := who.EC2.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.77.0.0/16")})
	if err != nil {
		t.Fatal(err)
	}
	id := aws.ToString(vpc.Vpc.VpcId)
	logs := func() (theirs, ours []string) {
		out, err := who.EC2.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{
			Filter: []ec2types.Filter{{Name: aws.String("resource-id"), Values: []string{id}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, fl := range out.FlowLogs {
			own := slices.ContainsFunc(fl.Tags, func(tag ec2types.Tag) bool { return aws.ToString(tag.Key) == catalog.OwnerTag })
			if own {
				ours = append(ours, aws.ToString(fl.FlowLogId))
			} else {
				theirs = append(theirs, aws.ToString(fl.FlowLogId))
			}
		}
		return theirs, ours
	}
	others, err := who.EC2.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{})
	if err != nil || len(others.FlowLogs) == 0 {
		t.Fatalf("no flow logs to take a role from: %v", err)
	}
	if out, err := who.EC2.CreateFlowLogs(t.Context(), &ec2.CreateFlowLogsInput{
		ResourceIds: []string{id}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAll,
		LogGroupName: aws.String(group), DeliverLogsPermissionArn: others.FlowLogs[0].DeliverLogsPermissionArn,
	}); err != nil || len(out.Unsuccessful) > 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	theirs, _ := logs()
	if _, err := who.EC2.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: theirs}); err != nil {
		t.Fatal(err)
	}
	within(t, 20*time.Second, "the VPC got a flow log of relight's", func() bool {
		_, ours := logs()
		return len(ours) > 0
	})
	if _, err := who.EC2.DeleteVpc(t.Context(), &ec2.DeleteVpcInput{VpcId: aws.String(id)}); err != nil {
		t.Fatal(err)
	}
	if _, err := who.Logs.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(group)}); err != nil {
		t.Fatal(err)
	}
	within(t, 30*time.Second, "nothing stands where the VPC was", func() bool {
		theirs, ours := logs()
		return len(theirs)+len(ours) == 0
	})
	s.drain(t)
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.Customer.Snapshot(t.Context(), s.Cloud.Root())
	if err != nil {
		t.Fatal(err)
	}
	if diff := got.Diff(want); len(diff) > 0 {
		t.Errorf("left behind: %v", diff)
	}
}

func within(t *testing.T, d time.Duration, what string, done func() bool) {
	t.Helper()
	for begin := time.Now(); !done(); time.Sleep(200 * time.Millisecond) {
		if time.Since(begin) > d {
			t.Fatalf("after %v not yet: %s", d, what)
		}
	}
}
