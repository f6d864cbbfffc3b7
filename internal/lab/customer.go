package lab

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// The customer's trail, the role that it delivers with, the bucket of its log files
// and their key.
const (
	TrailName   = "management-events"
	TrailRole   = "CloudTrail_CloudWatchLogs_Role"
	TrailBucket = bucketPrefix + Account
	logKey      = "alias/trail"

	bucketPrefix = "trail-"
)

// bucketOf and groupOf return the names of the bucket and of the log group of the trail of
// an account.
func bucketOf(account string) string { return bucketPrefix + account }
func groupOf(account string) string  { return "aws-cloudtrail-logs-" + account + "-0a1b2c3d" }

// SecondRegion is the second region in which the lab's account has VPCs.
const SecondRegion = "eu-west-1"

// trailRetention is for how many days the trail's log group keeps its records,
// far longer than the policy asks.
const trailRetention = 3653

// A Customer is an account before relight is deployed to it: a multi-region
// trail with its log group, VPCs in two regions, some of their subnets and network
// interfaces, a bucket and streams that receive flow logs, and a user with too many
// rights.
type Customer struct {
	TrailLogGroup string
	VPCs          map[string][]string // by region
	Subnets       map[string][]string // by region; the configuration chooses them
	Interfaces    map[string][]string // likewise
	Intruder      Principal

	mailbox string // URL
}

// NewCustomer sets up a customer's account through its API.
func NewCustomer(ctx context.Context, c *Cloud) (*Customer, error) {
	root := c.Root().In(Region)
	who := &Customer{TrailLogGroup: groupOf(Account), VPCs: map[string][]string{}, Subnets: map[string][]string{}, Interfaces: map[string][]string{}}
	key, err := who.makeKey(ctx, root)
	if err == nil {
		err = makeTrail(ctx, root, Account, who.TrailLogGroup, key, managementEvents(), audited(types.ReadWriteTypeAll))
	}
	if err != nil {
		return nil, fmt.Errorf("make the account's trail: %w", err)
	}
	for region, cidrs := range map[string][]string{Region: {"10.0.0.0/16", "10.1.0.0/16"}, SecondRegion: {"10.2.0.0/16"}} {
		s := c.Root().In(region)
		if err := who.makeVPCs(ctx, s, cidrs); err != nil {
			return nil, fmt.Errorf("make the account's VPCs in %s: %w", region, err)
		}
	}
	if err := who.makeChosen(ctx, c); err != nil {
		return nil, fmt.Errorf("make subnets and network interfaces, and where their flow logs go: %w", err)
	}
	if err := who.makeMailbox(ctx, root); err != nil {
		return nil, fmt.Errorf("make the mailbox: %w", err)
	}
	if err := who.makeIntruder(ctx, root); err != nil {
		return nil, fmt.Errorf("make the intruder: %w", err)
	}
	return who, nil
}

// makeTrail makes a multi-region trail of an account with its bucket, its log group and the
// role that delivers there. A key encrypts its log files if there is one.
func makeTrail(ctx context.Context, s *Session, account, group, key string, selectors ...types.EventSelector) error {
	bucket := bucketOf(account)
	if _, err := s.S3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		return err
	}
	if _, err := s.S3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(bucket), Policy: trailBucketPolicy(bucket, account)}); err != nil {
		return err
	}
	if _, err := s.Logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group)}); err != nil {
		return err
	}
	if err := retain(ctx, s, group); err != nil {
		return err
	}
	role, err := s.IAM.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String(TrailRole),
		AssumeRolePolicyDocument: document(map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "cloudtrail.amazonaws.com"},
		}),
	})
	if err != nil {
		return err
	}
	if _, err := s.IAM.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: role.Role.RoleName, PolicyName: aws.String("deliver"),
		PolicyDocument: aws.String(grantTo(account, group)),
	}); err != nil {
		return err
	}
	in := &cloudtrail.CreateTrailInput{
		Name: aws.String(TrailName), S3BucketName: aws.String(bucket), IsMultiRegionTrail: aws.Bool(true),
		IncludeGlobalServiceEvents: aws.Bool(true), EnableLogFileValidation: aws.Bool(true),
		CloudWatchLogsLogGroupArn: aws.String("arn:aws:logs:" + s.Region + ":" + account + ":log-group:" + group + ":*"), CloudWatchLogsRoleArn: role.Role.Arn,
	}
	if key != "" {
		in.KmsKeyId = aws.String(key)
	}
	if _, err := s.CloudTrail.CreateTrail(ctx, in); err != nil {
		return err
	}
	if _, err := s.CloudTrail.PutEventSelectors(ctx, &cloudtrail.PutEventSelectorsInput{TrailName: in.Name, EventSelectors: selectors}); err != nil {
		return err
	}
	_, err = s.CloudTrail.StartLogging(ctx, &cloudtrail.StartLoggingInput{Name: in.Name})
	return err
}

// retain sets the retention of the log group of a trail.
func retain(ctx context.Context, s *Session, group string) error {
	_, err := s.Logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(group), RetentionInDays: aws.Int32(trailRetention)})
	return err
}

// managementEvents selects every management event.
func managementEvents() types.EventSelector {
	return types.EventSelector{
		ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true),
		DataResources: []types.DataResource{}, ExcludeManagementEventSources: []string{},
	}
}

// audited selects the data events of the customer's records.
func audited(of types.ReadWriteType) types.EventSelector {
	return types.EventSelector{
		ReadWriteType: of, IncludeManagementEvents: aws.Bool(false), ExcludeManagementEventSources: []string{},
		DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3:::records-" + Account + "/"}}},
	}
}

// trailGrant allows the role of the lab's own trail to deliver to a log group.
func trailGrant(group string) string { return grantTo(Account, group) }

func grantTo(account, group string) string {
	return *document(map[string]any{
		"Effect": "Allow", "Action": []string{"logs:CreateLogStream", "logs:PutLogEvents"},
		"Resource": "arn:aws:logs:" + Region + ":" + account + ":log-group:" + group + ":*",
	})
}

// ownKeyPolicy allows one principal of the account to use a key. For the root
// user it also allows the services that write logs.
func ownKeyPolicy(who string) string {
	principal := map[string]any{"AWS": "arn:aws:iam::" + Account + ":" + who}
	if who == "root" {
		principal["Service"] = []string{"cloudtrail.amazonaws.com", "logs.amazonaws.com"}
	}
	return *document(map[string]any{"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"})
}

// makeKey makes the key of the customer's trail.
func (who *Customer) makeKey(ctx context.Context, s *Session) (arn string, err error) {
	raw, err := s.AWS(ctx, "kms", "create-key", "--policy", ownKeyPolicy("root"), "--query", "KeyMetadata")
	if err != nil {
		return "", err
	}
	var key struct{ Arn, KeyId string } //nolint:revive // KMS's own spelling
	if err := json.Unmarshal([]byte(raw), &key); err != nil {
		return "", err
	}
	_, err = s.AWS(ctx, "kms", "create-alias", "--alias-name", logKey, "--target-key-id", key.KeyId)
	return key.Arn, err
}

// TrailBucketPolicy returns the policy that the bucket of a trail of the lab's own account
// needs.
//
// Source: "Amazon S3 bucket policy for CloudTrail",
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
func TrailBucketPolicy(bucket string) *string { return trailBucketPolicy(bucket, Account) }

func trailBucketPolicy(bucket, account string) *string {
	return document(map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "cloudtrail.amazonaws.com"},
		"Action":   []string{"s3:GetBucketAcl", "s3:PutObject"},
		"Resource": []string{"arn:aws:s3:::" + bucket, "arn:aws:s3:::" + bucket + "/AWSLogs/" + account + "/*"},
	})
}

// makeVPCs makes a region's VPCs. It deletes the default VPC, as hardening
// guides recommend.
func (who *Customer) makeVPCs(ctx context.Context, s *Session, cidrs []string) error {
	if err := deleteVPCs(ctx, s); err != nil {
		return err
	}
	for _, cidr := range cidrs {
		out, err := s.EC2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String(cidr)})
		if err != nil {
			return err
		}
		who.VPCs[s.Region] = append(who.VPCs[s.Region], aws.ToString(out.Vpc.VpcId))
	}
	return nil
}

// makeChosen makes a subnet in each region and a network interface in the home region
// that the configuration chooses for flow logs, and the bucket and the streams that
// receive those.
func (who *Customer) makeChosen(ctx context.Context, c *Cloud) error {
	if err := makeFlowLogBucket(ctx, c.Root().In(Region)); err != nil {
		return err
	}
	for region, cidr := range map[string]string{Region: "10.0.1.0/24", SecondRegion: "10.2.1.0/24"} {
		s := c.Root().In(region)
		if err := s.Make(ctx, Target{}, cli("firehose", "CreateDeliveryStream", newStream())); err != nil {
			return err
		}
		if err := who.makeSubnet(ctx, s, who.VPCs[region][0], cidr); err != nil {
			return err
		}
	}
	return who.makeInterface(ctx, c.Root().In(Region), who.Subnets[Region][0])
}

// deleteVPCs deletes every VPC of a region. It deletes subnets and gateways
// first, as EC2 requires.
func deleteVPCs(ctx context.Context, s *Session) error {
	subnets, err := s.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	if err != nil {
		return err
	}
	for _, sub := range subnets.Subnets {
		if _, err := s.EC2.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: sub.SubnetId}); err != nil {
			return err
		}
	}
	gateways, err := s.EC2.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{})
	if err != nil {
		return err
	}
	for _, g := range gateways.InternetGateways {
		for _, at := range g.Attachments {
			if _, err := s.EC2.DetachInternetGateway(ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: g.InternetGatewayId, VpcId: at.VpcId}); err != nil {
				return err
			}
		}
		if _, err := s.EC2.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: g.InternetGatewayId}); err != nil {
			return err
		}
	}
	vpcs, err := s.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
	if err != nil {
		return err
	}
	for _, v := range vpcs.Vpcs {
		if _, err := s.EC2.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: v.VpcId}); err != nil {
			return err
		}
	}
	return nil
}

// intruder is the name of the user who has too many rights.
const intruder = "intruder"

func (who *Customer) makeIntruder(ctx context.Context, s *Session) error {
	const name = intruder
	if _, err := s.IAM.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String(name)}); err != nil {
		return err
	}
	if _, err := s.IAM.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: aws.String(name), PolicyName: aws.String("everything"),
		PolicyDocument: document(map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"}),
	}); err != nil {
		return err
	}
	key, err := s.IAM.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String(name)})
	if err != nil {
		return err
	}
	who.Intruder = s.principal
	who.Intruder.AccessKey = aws.ToString(key.AccessKey.AccessKeyId)
	who.Intruder.Secret = aws.ToString(key.AccessKey.SecretAccessKey)
	return nil
}

// document returns an IAM policy with one statement.
func document(statement map[string]any) *string {
	raw, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{statement}})
	if err != nil {
		panic(err) // maps of strings always marshal
	}
	return aws.String(string(raw))
}
