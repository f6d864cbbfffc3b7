package labtest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/relight-aws/relight/internal/lab"
)

// flowLogBucket makes a bucket whose policy admits flow logs.
func flowLogBucket(t *testing.T, region, name string) {
	t.Helper()
	cli(t, region, "s3", "mb", "s3://"+name)
	cli(t, region, "s3api", "put-bucket-policy", "--bucket", name, "--policy", lab.FlowLogBucketPolicy(name))
}

// deliveryStream makes a Firehose stream and returns its ARN.
func deliveryStream(t *testing.T, region, name string) (arn string) {
	t.Helper()
	return cli(t, region, "firehose", "create-delivery-stream", "--delivery-stream-name", name, "--query", "DeliveryStreamARN", "--output", "text",
		"--extended-s3-destination-configuration", "RoleARN=arn:aws:iam::"+lab.Account+":role/to-bucket,BucketARN=arn:aws:s3:::"+name)
}

func subnet(t *testing.T, c *ec2.Client, vpc string, tags ...types.Tag) string {
	t.Helper()
	in := &ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: aws.String("10.0.1.0/24")}
	if len(tags) > 0 {
		in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeSubnet, Tags: tags}}
	}
	out, err := c.CreateSubnet(t.Context(), in)
	must(t, err)
	return *out.Subnet.SubnetId
}

func networkInterface(t *testing.T, c *ec2.Client, subnet string, tags ...types.Tag) string {
	t.Helper()
	in := &ec2.CreateNetworkInterfaceInput{SubnetId: &subnet}
	if len(tags) > 0 {
		in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeNetworkInterface, Tags: tags}}
	}
	out, err := c.CreateNetworkInterface(t.Context(), in)
	must(t, err)
	return *out.NetworkInterface.NetworkInterfaceId
}

// flowLogTo is a request for a flow log to a bucket or a stream.
func flowLogTo(kind types.LogDestinationType, to string, on types.FlowLogsResourceType, ids ...string) *ec2.CreateFlowLogsInput {
	return &ec2.CreateFlowLogsInput{ResourceIds: ids, ResourceType: on, TrafficType: types.TrafficTypeAll, LogDestinationType: kind, LogDestination: &to}
}

// delivery returns the delivery status of the only flow log on a resource.
func delivery(t *testing.T, c *ec2.Client, id string) string {
	t.Helper()
	out, err := c.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{Filter: []types.Filter{{Name: aws.String("resource-id"), Values: []string{id}}}})
	must(t, err)
	if len(out.FlowLogs) != 1 {
		t.Fatalf("%d flow logs on %s, want 1", len(out.FlowLogs), id)
	}
	return strings.TrimSpace(aws.ToString(out.FlowLogs[0].DeliverLogsStatus) + " " + aws.ToString(out.FlowLogs[0].DeliverLogsErrorMessage))
}

// refusal returns the code and the text with which EC2 refuses a flow log for its only
// resource, or "" if it makes the flow log.
func refusal(ctx context.Context, t *testing.T, c *ec2.Client, in *ec2.CreateFlowLogsInput) string {
	t.Helper()
	out, err := c.CreateFlowLogs(ctx, in)
	must(t, err)
	if len(out.Unsuccessful) == 0 {
		return ""
	}
	return *out.Unsuccessful[0].Error.Code + " " + *out.Unsuccessful[0].Error.Message
}

// A bucket of a flow log has to exist, in any region, and its policy has to admit the
// delivery, when the flow log is made and ever after.
func TestFlowLogToBucket(t *testing.T) {
	const name = "flow-to-bucket"
	c := ec2.NewFromConfig(config(flowRegion))
	id := subnet(t, c, vpc(t, c))
	in := flowLogTo(types.LogDestinationTypeS3, "arn:aws:s3:::"+name+"/subnets", types.FlowLogsResourceTypeSubnet, id)
	in.DestinationOptions = &types.DestinationOptionsRequest{FileFormat: types.DestinationFileFormatParquet, HiveCompatiblePartitions: aws.Bool(true), PerHourPartition: aws.Bool(false)}

	const gone, shut = "400 LogDestination: " + name + " does not exist", "400 Access Denied for LogDestination: " + name + ". Please check LogDestination permission"
	if got := refusal(t.Context(), t, c, in); got != gone {
		t.Errorf("without the bucket: %q, want %q", got, gone)
	}
	cli(t, lab.Region, "s3", "mb", "s3://"+name)
	if got := refusal(t.Context(), t, c, in); got != shut {
		t.Errorf("without a policy: %q, want %q", got, shut)
	}
	put := func(policy string) {
		cli(t, lab.Region, "s3api", "put-bucket-policy", "--bucket", name, "--policy", policy)
	}
	put(*lab.TrailBucketPolicy(name))
	if got := refusal(t.Context(), t, c, in); got != shut {
		t.Errorf("with a trail's policy: %q, want %q", got, shut)
	}
	put(lab.FlowLogBucketPolicy(name))
	if got := refusal(t.Context(), t, c, in); got != "" {
		t.Errorf("with its policy: %q", got)
	}
	steps := []struct {
		name string
		do   func()
		want string
	}{
		{"its policy", func() {}, "SUCCESS"},
		{"no policy", func() { cli(t, lab.Region, "s3api", "delete-bucket-policy", "--bucket", name) }, "FAILED Access error"},
		{"another folder's policy", func() {
			put(strings.Replace(lab.FlowLogBucketPolicy(name), name+"/*", name+"/elsewhere/*", 1))
		}, "FAILED Access error"},
		{"another account's policy", func() {
			put(strings.ReplaceAll(lab.FlowLogBucketPolicy(name), lab.Account, "444455556666"))
		}, "FAILED Access error"},
		{"its policy again", func() { put(lab.FlowLogBucketPolicy(name)) }, "SUCCESS"},
		{"no bucket", func() { cli(t, lab.Region, "s3api", "delete-bucket", "--bucket", name) }, "FAILED Access error"},
	}
	for _, s := range steps {
		s.do()
		if got := delivery(t, c, id); got != s.want {
			t.Errorf("with %s: %s, want %s", s.name, got, s.want)
		}
	}
}

// The first flow log to a stream gives it the tag without which AWS may not write to it,
// and makes the service-linked role that writes.
func TestFlowLogToStream(t *testing.T) {
	const name = "flow-to-stream"
	c := ec2.NewFromConfig(config(flowRegion))
	id := networkInterface(t, c, subnet(t, c, vpc(t, c)))
	in := flowLogTo(types.LogDestinationTypeKinesisDataFirehose, "arn:aws:firehose:"+flowRegion+":"+lab.Account+":deliverystream/"+name, types.FlowLogsResourceTypeNetworkInterface, id)
	if got, want := refusal(t.Context(), t, c, in), "400 LogDestination: "+*in.LogDestination+" does not exist"; got != want {
		t.Errorf("without the stream: %q, want %q", got, want)
	}
	deliveryStream(t, flowRegion, name)
	if got := refusal(t.Context(), t, c, in); got != "" {
		t.Errorf("with the stream: %q", got)
	}
	steps := []struct {
		name string
		do   func()
		want string
	}{
		{"the tag", func() {}, "SUCCESS"},
		{"no tag", func() {
			cli(t, flowRegion, "firehose", "untag-delivery-stream", "--delivery-stream-name", name, "--tag-keys", "LogDeliveryEnabled")
		}, "FAILED Access error"},
		{"the tag again", func() {
			cli(t, flowRegion, "firehose", "tag-delivery-stream", "--delivery-stream-name", name, "--tags", "Key=LogDeliveryEnabled,Value=true")
		}, "SUCCESS"},
		{"no stream", func() { cli(t, flowRegion, "firehose", "delete-delivery-stream", "--delivery-stream-name", name) }, "FAILED Access error"},
	}
	for _, s := range steps {
		s.do()
		if got := delivery(t, c, id); got != s.want {
			t.Errorf("with %s: %s, want %s", s.name, got, s.want)
		}
	}
	role := cli(t, lab.Region, "iam", "get-role", "--role-name", "AWSServiceRoleForLogDelivery", "--query", "Role.Arn", "--output", "text")
	if want := "arn:aws:iam::" + lab.Account + ":role/aws-service-role/delivery.logs.amazonaws.com/AWSServiceRoleForLogDelivery"; role != want {
		t.Errorf("service-linked role %s, want %s", role, want)
	}
}

// Whoever makes or deletes flow logs to a bucket or a stream needs more than EC2's
// permissions.
func TestFlowLogPermissions(t *testing.T) {
	const region, name = "ap-northeast-1", "flow-permissions"
	root := ec2.NewFromConfig(config(region))
	network := vpc(t, root)
	one := subnet(t, root, network)
	flowLogBucket(t, region, name)
	stream := deliveryStream(t, region, name)
	// Other tests may have made the service-linked role.
	_, _ = iam.NewFromConfig(config(lab.Region)).DeleteServiceLinkedRole(t.Context(), &iam.DeleteServiceLinkedRoleInput{RoleName: aws.String("AWSServiceRoleForLogDelivery")})
	user := newUser(t, name)
	c := ec2.NewFromConfig(config(region, user.key, user.secret, ""))
	toBucket := flowLogTo(types.LogDestinationTypeS3, "arn:aws:s3:::"+name, types.FlowLogsResourceTypeSubnet, one)
	toStream := flowLogTo(types.LogDestinationTypeKinesisDataFirehose, stream, types.FlowLogsResourceTypeSubnet, one)
	may := func(actions string) { user.put(t, `{"Effect":"Allow","Action":[`+actions+`],"Resource":"*"}`) }
	create := func(in *ec2.CreateFlowLogsInput) func() error {
		return func() error { _, err := c.CreateFlowLogs(t.Context(), in); return err }
	}
	steps := []struct {
		name, actions string
		call          func() error
		denied        bool
	}{
		{"to a bucket without log delivery", `"ec2:*"`, create(toBucket), true},
		{"to a bucket", `"ec2:*","logs:CreateLogDelivery"`, create(toBucket), false},
		{"to a stream without its tag", `"ec2:*","logs:CreateLogDelivery","iam:CreateServiceLinkedRole"`, create(toStream), true},
		{"to a stream without its role", `"ec2:*","logs:CreateLogDelivery","firehose:TagDeliveryStream"`, create(toStream), true},
		{"to a stream", `"ec2:*","logs:CreateLogDelivery","iam:CreateServiceLinkedRole","firehose:TagDeliveryStream"`, create(toStream), false},
	}
	for _, s := range steps {
		may(s.actions)
		switch err := s.call(); {
		case s.denied:
			wantCode(t, err, "UnauthorizedOperation")
		case err != nil:
			t.Errorf("%s: %v", s.name, err)
		}
	}
	// Once the role exists, nobody needs to make it.
	deliveryStream(t, region, name+"-2")
	toStream.LogDestination, toStream.ResourceIds = aws.String(stream+"-2"), []string{subnet(t, root, network)}
	may(`"ec2:*","logs:CreateLogDelivery","firehose:TagDeliveryStream"`)
	must(t, create(toStream)())

	logs, err := root.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{Filter: []types.Filter{{Name: aws.String("resource-id"), Values: []string{one}}}})
	must(t, err)
	remove := &ec2.DeleteFlowLogsInput{FlowLogIds: []string{*logs.FlowLogs[0].FlowLogId}}
	_, err = c.DeleteFlowLogs(t.Context(), remove)
	wantCode(t, err, "UnauthorizedOperation")
	may(`"ec2:*","logs:DeleteLogDelivery"`)
	_, err = c.DeleteFlowLogs(t.Context(), remove)
	must(t, err)

	// A policy for subnets allows no flow log on another resource.
	user.put(t, `{"Effect":"Allow","Action":"*","Resource":["arn:aws:ec2:*:*:subnet/*","arn:aws:ec2:*:*:vpc-flow-log/*"]},{"Effect":"Allow","Action":"logs:CreateLogDelivery","Resource":"*"}`)
	must(t, create(flowLogTo(types.LogDestinationTypeS3, "arn:aws:s3:::"+name+"/more", types.FlowLogsResourceTypeSubnet, one))())
	eni := networkInterface(t, root, one)
	wantCode(t, create(flowLogTo(types.LogDestinationTypeS3, "arn:aws:s3:::"+name, types.FlowLogsResourceTypeNetworkInterface, eni))(), "UnauthorizedOperation")
}

// Long listings of subnets and network interfaces are split into pages.
func TestPagesOfNetworks(t *testing.T) {
	c := ec2.NewFromConfig(config("us-west-1"))
	tag := types.Tag{Key: aws.String("page"), Value: aws.String("yes")}
	filters := []types.Filter{{Name: aws.String("tag:page"), Values: []string{"yes"}}}
	network := vpc(t, c)
	var subnets, interfaces []string
	for range 7 {
		id := subnet(t, c, network, tag)
		subnets, interfaces = append(subnets, id), append(interfaces, networkInterface(t, c, id, tag))
		subnet(t, c, network)
		networkInterface(t, c, id)
	}
	check := func(sort string, got, want []string, pages int) {
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || pages != 2 {
			t.Errorf("%s %q on %d pages, want %q on 2", sort, got, pages, want)
		}
	}
	var got []string
	n := 0
	for pages := ec2.NewDescribeSubnetsPaginator(c, &ec2.DescribeSubnetsInput{MaxResults: aws.Int32(5), Filters: filters}); pages.HasMorePages(); n++ {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		for _, one := range page.Subnets {
			got = append(got, *one.SubnetId)
		}
	}
	check("subnets", got, subnets, n)
	got, n = nil, 0
	for pages := ec2.NewDescribeNetworkInterfacesPaginator(c, &ec2.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(5), Filters: filters}); pages.HasMorePages(); n++ {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		for _, one := range page.NetworkInterfaces {
			got = append(got, *one.NetworkInterfaceId)
		}
	}
	check("network interfaces", got, interfaces, n)
}
