package lab

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithy "github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// FlowLogBucket and FlowLogStream receive the flow logs of the subnets and network
// interfaces that have the tag ChosenKey = ChosenValue. Each region has a stream of
// that name.
const (
	FlowLogBucket = "flow-logs-" + Account
	FlowLogStream = "flow-logs"
	ChosenKey     = "sensitive"
	ChosenValue   = "yes"

	toFlowLogBucket = "arn:aws:s3:::" + FlowLogBucket + "/subnets"
	toFlowLogStream = "arn:aws:firehose:{region}:" + Account + ":deliverystream/" + FlowLogStream

	logDeliveryEnabled = "LogDeliveryEnabled" // the tag of streams to which AWS may write
)

// Config returns the configuration that the lab deploys.
func Config() map[string]any {
	chosen := map[string]any{ChosenKey: ChosenValue}
	return map[string]any{
		"regions": []string{SecondRegion},
		"flowLogs": map[string]any{
			"exemptByTag": true,
			"subnets": map[string]any{
				"tags": chosen, "trafficType": "ALL",
				"destination": map[string]any{"arn": toFlowLogBucket, "fileFormat": "parquet", "perHourPartition": true},
			},
			"networkInterfaces": map[string]any{"tags": chosen, "destination": map[string]any{"arn": toFlowLogStream}},
		},
		"notify": map[string]any{"minimum": "info"}, // so that all subscribers hear everything
		"subscribers": []any{
			map[string]any{"protocol": "email", "endpoint": Subscriber},
			map[string]any{"protocol": "sqs", "endpoint": MailboxARN},
		},
	}
}

// GrantKeys returns the keys of that configuration on which grants depend.
func GrantKeys() []string {
	return []string{catalog.KeySubnets, catalog.KeyInterfaces, catalog.KeyToBucket, catalog.KeyToStream}
}

// makeFlowLogBucket makes the bucket that receives flow logs.
func makeFlowLogBucket(ctx context.Context, s *Session) error {
	if _, err := s.S3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(FlowLogBucket)}); err != nil {
		return err
	}
	_, err := s.S3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(FlowLogBucket), Policy: aws.String(FlowLogBucketPolicy(FlowLogBucket))})
	return err
}

// FlowLogBucketPolicy returns the policy that a bucket of flow logs needs, for the flow
// logs of every region of the account.
//
// Source: "Amazon S3 bucket permissions for flow logs",
// https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html
func FlowLogBucketPolicy(bucket string) string {
	statement := func(sid, action, resource string, equals map[string]any) map[string]any {
		equals["aws:SourceAccount"] = Account
		return map[string]any{
			"Sid": sid, "Effect": "Allow", "Principal": map[string]any{"Service": "delivery.logs.amazonaws.com"}, "Action": action, "Resource": resource,
			"Condition": map[string]any{"StringEquals": equals, "ArnLike": map[string]any{"aws:SourceArn": "arn:aws:logs:*:" + Account + ":*"}},
		}
	}
	raw, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{
		statement("AWSLogDeliveryWrite", "s3:PutObject", "arn:aws:s3:::"+bucket+"/*", map[string]any{"s3:x-amz-acl": "bucket-owner-full-control"}),
		statement("AWSLogDeliveryAclCheck", "s3:GetBucketAcl", "arn:aws:s3:::"+bucket, map[string]any{}),
	}})
	if err != nil {
		panic(err) // maps of strings always marshal
	}
	return string(raw)
}

// newStream is the input of the call that makes a stream of flow logs in a region. The
// stream has the tag with which AWS may write to it only if it is made again: the first
// flow log to it sets the tag.
func newStream(tags ...input) input {
	in := input{
		"DeliveryStreamName": FlowLogStream, "DeliveryStreamType": "DirectPut",
		"ExtendedS3DestinationConfiguration": input{"RoleARN": "arn:aws:iam::" + Account + ":role/from-stream", "BucketARN": "arn:aws:s3:::" + FlowLogBucket, "Prefix": "interfaces/"},
	}
	if len(tags) > 0 {
		in["Tags"] = tags
	}
	return in
}

// makeSubnet makes a subnet in a VPC, with the tag that chooses it for a flow log.
func (who *Customer) makeSubnet(ctx context.Context, s *Session, vpc, cidr string) error {
	out, err := s.EC2.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: aws.String(vpc), CidrBlock: aws.String(cidr), TagSpecifications: chosen(types.ResourceTypeSubnet)})
	if err != nil {
		return err
	}
	who.Subnets[s.Region] = append(who.Subnets[s.Region], aws.ToString(out.Subnet.SubnetId))
	return nil
}

// makeInterface makes a network interface in a subnet, with the tag that chooses it for
// a flow log.
func (who *Customer) makeInterface(ctx context.Context, s *Session, subnet string) error {
	out, err := s.EC2.CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: aws.String(subnet), TagSpecifications: chosen(types.ResourceTypeNetworkInterface)})
	if err != nil {
		return err
	}
	who.Interfaces[s.Region] = append(who.Interfaces[s.Region], aws.ToString(out.NetworkInterface.NetworkInterfaceId))
	return nil
}

// chosen returns the tag of a new resource that the configuration chooses.
func chosen(of types.ResourceType) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: of, Tags: []types.Tag{{Key: aws.String(ChosenKey), Value: aws.String(ChosenValue)}}}}
}

// chosenIDs returns the subnets and the network interfaces of a region that have the tag.
func chosenIDs(ctx context.Context, s *Session) (ids []string, err error) {
	filters := []types.Filter{{Name: aws.String("tag:" + ChosenKey), Values: []string{ChosenValue}}}
	subnets := ec2.NewDescribeSubnetsPaginator(s.EC2, &ec2.DescribeSubnetsInput{Filters: filters})
	for subnets.HasMorePages() {
		page, err := subnets.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, one := range page.Subnets {
			ids = append(ids, aws.ToString(one.SubnetId))
		}
	}
	interfaces := ec2.NewDescribeNetworkInterfacesPaginator(s.EC2, &ec2.DescribeNetworkInterfacesInput{Filters: filters})
	for interfaces.HasMorePages() {
		page, err := interfaces.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, one := range page.NetworkInterfaces {
			ids = append(ids, aws.ToString(one.NetworkInterfaceId))
		}
	}
	return ids, nil
}

// flowLogBucket reads the policy of the bucket that receives flow logs.
func (s Snapshot) flowLogBucket(ctx context.Context, at *Session) error {
	out, err := at.S3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(FlowLogBucket)})
	if refused, ok := errors.AsType[smithy.APIError](err); ok && slices.Contains([]string{"NoSuchBucket", "NoSuchBucketPolicy"}, refused.ErrorCode()) {
		s.add("bucket-policy", FlowLogBucket, refused.ErrorCode())
		return nil
	}
	if err != nil {
		return err
	}
	s.add("bucket-policy", FlowLogBucket, plainDocument(out.Policy))
	return nil
}
