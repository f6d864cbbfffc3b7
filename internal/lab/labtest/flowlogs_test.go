package labtest

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/relight-aws/relight/internal/lab"
)

const flowRegion = "us-west-2"

func vpc(t *testing.T, c *ec2.Client) string {
	t.Helper()
	out, err := c.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	must(t, err)
	return *out.Vpc.VpcId
}

func flowLog(role string, vpcs ...string) *ec2.CreateFlowLogsInput {
	return &ec2.CreateFlowLogsInput{
		ResourceIds: vpcs, ResourceType: types.FlowLogsResourceTypeVpc, TrafficType: types.TrafficTypeReject,
		LogGroupName: aws.String("flow"), DeliverLogsPermissionArn: &role,
	}
}

// A flow log reads back as it was made.
func TestFlowLogKeepsItsFields(t *testing.T) {
	c := ec2.NewFromConfig(config(flowRegion))
	id, arn := vpc(t, c), role(t, "flow-keeps", "vpc-flow-logs.amazonaws.com", "logs:*")
	in := flowLog(arn, id)
	in.LogFormat, in.MaxAggregationInterval = aws.String("${srcaddr}"), aws.Int32(60)
	in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeVpcFlowLog, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}}
	_, err := c.CreateFlowLogs(t.Context(), in)
	must(t, err)
	in = flowLog(arn, id)
	in.LogGroupName, in.LogDestination = nil, aws.String("arn:aws:logs:us-west-2:111122223333:log-group:by-arn:*")
	_, err = c.CreateFlowLogs(t.Context(), in)
	must(t, err)

	find := func(name string, values ...string) []types.FlowLog {
		out, err := c.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{Filter: []types.Filter{
			{Name: aws.String("resource-id"), Values: []string{id}}, {Name: &name, Values: values},
		}})
		must(t, err)
		return out.FlowLogs
	}
	got := find("tag:k", "v")
	if len(got) != 1 {
		t.Fatalf("%d flow logs with the tag, want 1", len(got))
	}
	f := got[0]
	if *f.LogFormat != "${srcaddr}" || *f.MaxAggregationInterval != 60 || *f.DeliverLogsPermissionArn != arn || *f.LogGroupName != "flow" ||
		*f.DeliverLogsStatus != "SUCCESS" || f.TrafficType != types.TrafficTypeReject || *f.FlowLogStatus != "ACTIVE" {
		t.Errorf("flow log %+v", f)
	}
	got = find("log-group-name", "by-arn")
	if len(got) != 1 || *got[0].MaxAggregationInterval != 600 || *got[0].LogFormat != "${version} ${account-id} ${interface-id} ${srcaddr} "+
		"${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}" {
		t.Errorf("defaults %+v", got)
	}
	for name, values := range map[string][]string{
		"traffic-type": {"ALL"}, "log-destination-type": {"s3"}, "deliver-log-status": {"FAILED"}, "flow-log-id": {"fl-0"}, "tag:k": {"w"},
	} {
		if got := find(name, values...); len(got) != 0 {
			t.Errorf("%d flow logs with %s %q, want none", len(got), name, values)
		}
	}

	// The service can deliver only while it may assume the role.
	users := iam.NewFromConfig(config(lab.Region))
	_, err = users.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("flow-keeps"), PolicyDocument: aws.String(`{"Statement":[]}`)})
	must(t, err)
	if got := find("deliver-log-status", "FAILED"); len(got) != 2 || *got[0].DeliverLogsErrorMessage != "Access error" {
		t.Errorf("without trust: %+v, want two FAILED", got)
	}
}

// The delivery of a flow log fails as soon as its role or its log group no
// longer meets the service's requirements, and works again when it does.
func TestFlowLogDelivery(t *testing.T) {
	const name = "flow-delivers"
	c, logs, users := ec2.NewFromConfig(config(flowRegion)), cloudwatchlogs.NewFromConfig(config(flowRegion)), iam.NewFromConfig(config(lab.Region))
	id, arn := vpc(t, c), role(t, name, "vpc-flow-logs.amazonaws.com", "logs:*")
	in := flowLog(arn, id)
	in.LogGroupName = aws.String(name)
	_, err := c.CreateFlowLogs(t.Context(), in)
	must(t, err)
	group := func() {
		_, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(name)})
		must(t, err)
	}
	trust := func(document string) {
		_, err := users.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(name), PolicyDocument: &document})
		must(t, err)
	}
	const (
		service = `{"Statement":[{"Effect":"Allow","Principal":{"Service":"vpc-flow-logs.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{
			"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike":{"aws:SourceArn":"arn:aws:ec2:*:111122223333:vpc-flow-log/*"}}}]}`
		other = `{"Statement":[{"Effect":"Allow","Principal":{"Service":"vpc-flow-logs.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{
			"StringEquals":{"aws:SourceAccount":"444455556666"}}}]}`
	)
	boundary, err := users.CreatePolicy(t.Context(), &iam.CreatePolicyInput{
		PolicyName: aws.String(name), PolicyDocument: aws.String(`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`),
	})
	must(t, err)
	steps := []struct {
		name   string
		do     func()
		status string
	}{
		{"no group, and the role may make it", func() {}, "SUCCESS"},
		{"no group, and the role may only write", func() { allow(t, name, "logs:*s*") }, "FAILED"}, // matches CreateLogStream and PutLogEvents
		{"a group, and the role may only write", group, "SUCCESS"},
		{"a role that may not make streams", func() { allow(t, name, "logs:PutLogEvents") }, "FAILED"},
		{"a role that may", func() { allow(t, name, "logs:*") }, "SUCCESS"},
		{"trust in another account", func() { trust(other) }, "FAILED"},
		{"trust in this account", func() { trust(service) }, "SUCCESS"},
		{"a boundary", func() {
			_, err := users.PutRolePermissionsBoundary(t.Context(), &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String(name), PermissionsBoundary: boundary.Policy.Arn})
			must(t, err)
		}, "FAILED"},
		{"no boundary", func() {
			_, err := users.DeleteRolePermissionsBoundary(t.Context(), &iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String(name)})
			must(t, err)
		}, "SUCCESS"},
	}
	for _, s := range steps {
		s.do()
		out, err := c.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{Filter: []types.Filter{{Name: aws.String("resource-id"), Values: []string{id}}}})
		must(t, err)
		if got := aws.ToString(out.FlowLogs[0].DeliverLogsStatus); got != s.status {
			t.Errorf("with %s: %s (%s), want %s", s.name, got, aws.ToString(out.FlowLogs[0].DeliverLogsErrorMessage), s.status)
		}
	}
}

// EC2 reports a refusal for one VPC inside a successful reply.
func TestFlowLogRefusals(t *testing.T) {
	c := ec2.NewFromConfig(config(flowRegion))
	one, two := vpc(t, c), vpc(t, c)
	arn := role(t, "flow-refused", "vpc-flow-logs.amazonaws.com", "logs:PutLogEvents")
	other := role(t, "flow-other", "ec2.amazonaws.com", "logs:PutLogEvents")
	change := func(f func(*ec2.CreateFlowLogsInput), vpcs ...string) *ec2.CreateFlowLogsInput {
		in := flowLog(arn, vpcs...)
		f(in)
		return in
	}
	tests := []struct {
		name string
		in   *ec2.CreateFlowLogsInput
		made int
		item string // code inside the reply
		code string // code of the whole call
	}{
		{name: "first", in: flowLog(arn, one), made: 1},
		{name: "same again beside a new one", in: flowLog(arn, one, two), made: 1, item: "FlowLogAlreadyExists"},
		{name: "second", in: change(func(in *ec2.CreateFlowLogsInput) { in.TrafficType = types.TrafficTypeAll }, one), made: 1},
		{name: "third", in: change(func(in *ec2.CreateFlowLogsInput) { in.LogGroupName = aws.String("x") }, one), item: "FlowLogsLimitExceeded"},
		{name: "no such VPC", in: flowLog(arn, "vpc-0"), code: "InvalidVpcID.NotFound"},
		{name: "no such role", in: flowLog("arn:aws:iam::111122223333:role/none", two), code: "InvalidParameter"},
		{name: "role of another service", in: flowLog(other, two), code: "InvalidParameter"},
		{name: "no role", in: change(func(in *ec2.CreateFlowLogsInput) { in.DeliverLogsPermissionArn = nil }, two), code: "InvalidParameter"},
	}
	for _, tt := range tests {
		out, err := c.CreateFlowLogs(t.Context(), tt.in)
		if tt.code != "" {
			wantCode(t, err, tt.code)
			continue
		}
		must(t, err)
		var item string
		if len(out.Unsuccessful) > 0 {
			item = *out.Unsuccessful[0].Error.Code
		}
		if len(out.FlowLogIds) != tt.made || item != tt.item {
			t.Errorf("%s: made %q, refused %q; want %d and %q", tt.name, out.FlowLogIds, item, tt.made, tt.item)
		}
	}
	_, err := c.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: []string{"fl-0"}})
	wantCode(t, err, "InvalidFlowLogId.NotFound")
}

// A call with a client token repeats the first reply, even if what that call
// made is gone.
func TestFlowLogClientToken(t *testing.T) {
	c := ec2.NewFromConfig(config(flowRegion))
	in := flowLog(role(t, "flow-token", "vpc-flow-logs.amazonaws.com", "logs:PutLogEvents"), vpc(t, c))
	in.ClientToken = aws.String("once")
	first, err := c.CreateFlowLogs(t.Context(), in)
	must(t, err)
	_, err = c.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: first.FlowLogIds})
	must(t, err)
	again, err := c.CreateFlowLogs(t.Context(), in)
	must(t, err)
	if !slices.Equal(first.FlowLogIds, again.FlowLogIds) {
		t.Errorf("got %q and then %q", first.FlowLogIds, again.FlowLogIds)
	}
	in.TrafficType = types.TrafficTypeAll
	_, err = c.CreateFlowLogs(t.Context(), in)
	wantCode(t, err, "IdempotentParameterMismatch")
}

// Long listings are split into pages.
func TestPagesOfVPCsAndFlowLogs(t *testing.T) {
	c := ec2.NewFromConfig(config("us-west-1"))
	arn := role(t, "flow-pages", "vpc-flow-logs.amazonaws.com", "logs:PutLogEvents")
	var want []string
	for range 7 {
		want = append(want, vpc(t, c))
	}
	_, err := c.CreateFlowLogs(t.Context(), flowLog(arn, want...))
	must(t, err)
	slices.Sort(want)
	byID := []types.Filter{{Name: aws.String("vpc-id"), Values: want}}

	var vpcs, logs []string
	for pages := ec2.NewDescribeVpcsPaginator(c, &ec2.DescribeVpcsInput{MaxResults: aws.Int32(5), Filters: byID}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		if len(page.Vpcs) > 5 {
			t.Errorf("a page of %d VPCs, want 5", len(page.Vpcs))
		}
		for _, v := range page.Vpcs {
			vpcs = append(vpcs, *v.VpcId)
		}
	}
	for pages := ec2.NewDescribeFlowLogsPaginator(c, &ec2.DescribeFlowLogsInput{MaxResults: aws.Int32(5)}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		if len(page.FlowLogs) > 5 {
			t.Errorf("a page of %d flow logs, want 5", len(page.FlowLogs))
		}
		for _, f := range page.FlowLogs {
			logs = append(logs, *f.ResourceId)
		}
	}
	slices.Sort(vpcs)
	slices.Sort(logs)
	if !slices.Equal(vpcs, want) || !slices.Equal(logs, want) {
		t.Errorf("VPCs %q and VPCs of flow logs %q, want %q", vpcs, logs, want)
	}
}

// The default VPCs of two regions have different IDs, and what belongs to them names its own.
func TestDefaultVPCsDiffer(t *testing.T) {
	ids := map[string]string{}
	for _, region := range []string{"ca-central-1", "sa-east-1"} {
		c := ec2.NewFromConfig(config(region))
		byDefault := []types.Filter{{Name: aws.String("is-default"), Values: []string{"true"}}}
		vpcs, err := c.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{Filters: byDefault})
		must(t, err)
		if len(vpcs.Vpcs) != 1 {
			t.Fatalf("%s has %d default VPCs", region, len(vpcs.Vpcs))
		}
		id := *vpcs.Vpcs[0].VpcId
		subnets, err := c.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{id}}}})
		must(t, err)
		if other := ids[id]; other != "" || len(subnets.Subnets) == 0 {
			t.Errorf("%s: %s, as in %q, with %d subnets", region, id, other, len(subnets.Subnets))
		}
		ids[id] = region
	}
}
