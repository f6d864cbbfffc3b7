package lab

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// networkAttacks are the attacks on the flow logs of subnets and network interfaces, and
// on the bucket and the stream that receive them. Those that leave a flow log behind come
// last.
func networkAttacks() []Attack {
	tag := []input{{"Key": ChosenKey, "Value": ChosenValue}}
	onSubnet, onInterface := []string{"${subnet}"}, []string{"${interface}"}
	stream := input{"DeliveryStreamName": FlowLogStream}
	deliversTo := func(bucket string) Call {
		return cli("firehose", "UpdateDestination", with(stream, input{
			"CurrentDeliveryStreamVersionId": "${stream-version}", "DestinationId": "${stream-destination}",
			"ExtendedS3DestinationUpdate": input{"BucketARN": "arn:aws:s3:::" + bucket},
		}))
	}
	open := bucketPolicy(FlowLogBucket, FlowLogBucketPolicy(FlowLogBucket))
	return []Attack{
		heals("ec2 CreateSubnet, with the tag that chooses it", Region, changeNetwork, sdk((*ec2.Client).CreateSubnet, input{
			"VpcId": "${vpc}", "CidrBlock": "10.0.101.0/24", "TagSpecifications": []input{{"ResourceType": types.ResourceTypeSubnet, "Tags": tag}},
		})).leaves(newChosen),
		heals("ec2 CreateNetworkInterface, with the tag that chooses it", Region, changeNetwork, cli("ec2", "CreateNetworkInterface", input{
			"SubnetId": "${subnet}", "TagSpecifications": []input{{"ResourceType": types.ResourceTypeNetworkInterface, "Tags": tag}},
		})).leaves(newChosen),
		heals("ec2 CreateTags, the one that chooses a subnet", Region, notAnIntrusion).by(tagSubnet).leaves(newChosen),
		heals("ec2 CreateTags, the one that chooses a network interface", Region, notAnIntrusion).by(tagInterface).leaves(newChosen),
		heals("ec2 DeleteFlowLogs, a subnet's", Region, disableLogs, sdk((*ec2.Client).DeleteFlowLogs, input{"FlowLogIds": "${flow-logs-of-subnet}"})),
		heals("ec2 DeleteFlowLogs, a subnet's", SecondRegion, disableLogs, cli("ec2", "DeleteFlowLogs", input{"FlowLogIds": "${flow-logs-of-subnet}"})),
		heals("ec2 DeleteFlowLogs, a network interface's", Region, disableLogs, cli("ec2", "DeleteFlowLogs", input{"FlowLogIds": "${flow-logs-of-interface}"})),
		heals("ec2 DeleteFlowLogs, of VPCs, subnets and network interfaces at once", Region, disableLogs,
			sdk((*ec2.Client).DeleteFlowLogs, input{"FlowLogIds": "${every-flow-log}"})),
		reports("ec2 DeleteTags, the one that chooses a subnet", Region, disableTools,
			sdk((*ec2.Client).DeleteTags, input{"Resources": onSubnet, "Tags": tag})).
			undoneBy(sdk((*ec2.Client).CreateTags, input{"Resources": onSubnet, "Tags": tag})),
		reports("ec2 DeleteTags, the one that chooses a network interface", Region, disableTools,
			cli("ec2", "DeleteTags", input{"Resources": onInterface, "Tags": tag})).
			undoneBy(sdk((*ec2.Client).CreateTags, input{"Resources": onInterface, "Tags": tag})),

		reports("s3 DeleteBucketPolicy, of the flow logs' bucket", Region, disableLogs, cli("s3api", "DeleteBucketPolicy", input{"Bucket": FlowLogBucket})).undoneBy(open),
		reports("s3 PutBucketPolicy, the flow logs' bucket open to the owner alone", Region, disableLogs, bucketPolicy(FlowLogBucket, *document(map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::" + Account + ":root"}, "Action": "s3:*", "Resource": "arn:aws:s3:::" + FlowLogBucket + "/*",
		}))).undoneBy(open),
		reports("s3 DeleteBucket, of relight's flow logs", Region, destroyData, cli("s3api", "DeleteBucket", input{"Bucket": FlowLogBucket})).
			undoneBy(cli("s3api", "CreateBucket", input{"Bucket": FlowLogBucket}), open),
		reports("firehose UpdateDestination, flow logs to the intruder's bucket", Region, transferData, deliversTo(spareBucket)).undoneBy(deliversTo(FlowLogBucket)),
		reports("firehose UntagDeliveryStream, AWS may not write any more", Region, disableLogs,
			cli("firehose", "UntagDeliveryStream", with(stream, input{"TagKeys": []string{logDeliveryEnabled}}))).
			undoneBy(cli("firehose", "TagDeliveryStream", with(stream, input{"Tags": enabled()}))),
		reports("firehose DeleteDeliveryStream", Region, disableLogs, cli("firehose", "DeleteDeliveryStream", stream)).
			undoneBy(cli("firehose", "CreateDeliveryStream", newStream(enabled()...))),

		heals("ec2 DeleteFlowLogs, a narrower one in its place", Region, disableLogs,
			flowLogTo("${vpc}", FlowLogBucket), sdk((*ec2.Client).DeleteFlowLogs, input{"FlowLogIds": "${flow-logs-of-vpc}"})).leaves(narrowFlowLog),
		heals("ec2 DeleteFlowLogs, a weaker one of the subnet in its place", Region, disableLogs,
			sdk((*ec2.Client).CreateFlowLogs, input{
				"ResourceIds": onSubnet, "ResourceType": types.FlowLogsResourceTypeSubnet, "TrafficType": types.TrafficTypeReject,
				"LogDestinationType": types.LogDestinationTypeS3, "LogDestination": toFlowLogBucket,
			}),
			sdk((*ec2.Client).DeleteFlowLogs, input{"FlowLogIds": "${flow-logs-of-subnet}"})).leaves(weakerFlowLog),
	}
}

// enabled returns the tag of streams to which AWS may write.
func enabled() []input { return []input{{"Key": logDeliveryEnabled, "Value": "true"}} }

// newChosen is the aftermath of attacks that make a subnet or a network interface, or
// tag one: each that is new among the chosen gets a flow log like the others.
func newChosen(ctx context.Context, s *Session, _ Target, want Snapshot) error {
	ids, err := chosenIDs(ctx, s)
	if err != nil {
		return err
	}
	for _, id := range ids {
		key := "flow-logs " + s.Region + " " + id
		if _, known := want[key]; !known {
			sort, _, _ := strings.Cut(id, "-")
			want[key] = likeOthers(want, s.Region, sort)
		}
	}
	return nil
}

// tagSubnet makes a subnet and then gives it the tag that chooses it.
func tagSubnet(ctx context.Context, s *Session, t Target) error {
	made, err := s.EC2.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: aws.String(t.VPCs[0]), CidrBlock: aws.String("10.0.102.0/24")})
	if err != nil {
		return err
	}
	return s.choose(ctx, made.Subnet.SubnetId)
}

// tagInterface makes a network interface and then gives it the tag that chooses it.
func tagInterface(ctx context.Context, s *Session, t Target) error {
	made, err := s.EC2.CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: aws.String(t.Subnets[0])})
	if err != nil {
		return err
	}
	return s.choose(ctx, made.NetworkInterface.NetworkInterfaceId)
}

func (s *Session) choose(ctx context.Context, id *string) error {
	_, err := s.EC2.CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: []string{aws.ToString(id)}, Tags: []types.Tag{{Key: aws.String(ChosenKey), Value: aws.String(ChosenValue)}},
	})
	return err
}

// weakerFlowLog is the aftermath of the attack that makes a weaker flow log on a subnet:
// relight keeps it beside the flow log that it restores.
func weakerFlowLog(ctx context.Context, s *Session, t Target, want Snapshot) error {
	logs, err := s.describeFlowLogs(ctx, t.Subnets[0])
	if err != nil {
		return err
	}
	key := "flow-logs " + s.Region + " " + t.Subnets[0]
	for _, fl := range logs {
		if fl.TrafficType == types.TrafficTypeReject {
			want[key] = oneMore(want[key], flowLogLine(fl))
		}
	}
	return nil
}
