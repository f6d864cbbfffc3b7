package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/relight-aws/relight/internal/catalog"
)

// logBucket and logKey are what the customer's trail writes to and with.
const (
	logBucket = "trail-" + Account
	logKey    = "alias/trail"
)

// watched are the attacks on what relight only watches: the buckets and keys
// that logs go through, regions, and the tag that exempts VPCs.
func watched() []Attack {
	opened := *document(map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::444455556666:root"}, "Action": "s3:DeleteObject",
		"Resource": "arn:aws:s3:::" + logBucket + "/*",
	})
	const aDay = `{"Rules":[{"ID":"expire","Status":"Enabled","Filter":{"Prefix":""},"Expiration":{"Days":1}}]}`
	bucketPolicy := byRoot("s3api", "put-bucket-policy", "--bucket", logBucket, "--policy", *TrailBucketPolicy(logBucket))
	return []Attack{
		reports("s3 PutBucketPolicy, open to another account", awsCLI, Region, cli("s3api", "put-bucket-policy", "--bucket", logBucket, "--policy", opened), bucketPolicy),
		reports("s3 DeleteBucketPolicy", awsCLI, Region, cli("s3api", "delete-bucket-policy", "--bucket", logBucket), bucketPolicy),
		reports("s3 PutBucketLifecycle, a day", awsCLI, Region,
			cli("s3api", "put-bucket-lifecycle-configuration", "--bucket", logBucket, "--lifecycle-configuration", aDay),
			byRoot("s3api", "delete-bucket-lifecycle", "--bucket", logBucket)),
		reports("s3 DeleteBucket, of a flow log", awsCLI, Region, deleteBucket, flowLogOfNoBucket),
		reports("kms DisableKey, the trail's", awsCLI, Region, onKey("disable-key"), asRoot(onKey("enable-key"))),
		reports("kms ScheduleKeyDeletion, the trail's", awsCLI, Region, onKey("schedule-key-deletion", "--pending-window-in-days", "7"),
			asRoot(onKey("cancel-key-deletion"), onKey("enable-key"))),
		reports("kms PutKeyPolicy, the trail's", awsCLI, Region, onKey("put-key-policy", "--policy-name", "default", "--policy", ownKeyPolicy("user/"+intruder)),
			asRoot(onKey("put-key-policy", "--policy-name", "default", "--policy", ownKeyPolicy("root")))),
		reports("account EnableRegion", awsCLI, Region, cli("account", "enable-region", "--region-name", "af-south-1"),
			byRoot("account", "disable-region", "--region-name", "af-south-1")),
		reports("ec2 CreateTags, one that exempts", awsCLI, Region, exempt, asRoot(unexempt)),
		heals("ec2 DeleteTags, the one that exempted", awsCLI, Region, exemptForAWhile),
	}
}

// cli makes one call of the AWS CLI.
func cli(args ...string) doer {
	return func(ctx context.Context, s *Session, _ Target) (Aftermath, error) {
		_, err := s.AWS(ctx, args...)
		return nil, err
	}
}

func byRoot(args ...string) func(context.Context, *Session, Target) error {
	return asRoot(cli(args...))
}

// asRoot makes attacks into what undoes one.
func asRoot(do ...doer) func(context.Context, *Session, Target) error {
	return func(ctx context.Context, root *Session, t Target) error {
		for _, d := range do {
			if _, err := d(ctx, root, t); err != nil {
				return err
			}
		}
		return nil
	}
}

// onKey makes a call on the key of the customer's trail. Those that harm a key
// take no alias.
func onKey(command string, args ...string) doer {
	return func(ctx context.Context, s *Session, _ Target) (Aftermath, error) {
		key, err := s.AWS(ctx, "kms", "describe-key", "--key-id", logKey, "--query", "KeyMetadata.KeyId", "--output", "text")
		if err != nil {
			return nil, err
		}
		_, err = s.AWS(ctx, append([]string{"kms", command, "--key-id", key}, args...)...)
		return nil, err
	}
}

// ownKeyPolicy admits one principal of the account and, for the root user, the
// services that write logs.
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

const emptyBucket = "flow-logs-" + Account

// deleteBucket takes away an empty bucket that a flow log of a VPC goes to.
func deleteBucket(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	if _, err := s.AWS(ctx, "s3", "mb", "s3://"+emptyBucket); err != nil {
		return nil, err
	}
	out, err := s.EC2.CreateFlowLogs(ctx, &ec2.CreateFlowLogsInput{
		ResourceIds: t.VPCs[1:2], ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAccept,
		LogDestinationType: ec2types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::" + emptyBucket),
	})
	if err == nil && len(out.Unsuccessful) > 0 {
		err = errors.New(aws.ToString(out.Unsuccessful[0].Error.Message))
	}
	if err != nil {
		return nil, fmt.Errorf("make a flow log to lose its bucket: %w", err)
	}
	_, err = s.AWS(ctx, "s3api", "delete-bucket", "--bucket", emptyBucket)
	return nil, err
}

// flowLogOfNoBucket deletes the flow log that deleteBucket leaves.
func flowLogOfNoBucket(ctx context.Context, root *Session, t Target) error {
	logs, err := describeFlowLogs(ctx, root, "resource-id", t.VPCs[1:2])
	if err != nil {
		return err
	}
	for _, fl := range logs {
		if aws.ToString(fl.LogDestination) != "arn:aws:s3:::"+emptyBucket {
			continue
		}
		if _, err := root.EC2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: []string{*fl.FlowLogId}}); err != nil {
			return err
		}
	}
	return nil
}

// exempt gives a VPC the tag that exempts it.
func exempt(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	_, err := s.AWS(ctx, "ec2", "create-tags", "--resources", t.VPCs[0], "--tags", "Key="+catalog.ExemptTag+",Value="+catalog.ExemptValue)
	return nil, err
}

func unexempt(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	_, err := s.AWS(ctx, "ec2", "delete-tags", "--resources", t.VPCs[0], "--tags", "Key="+catalog.ExemptTag)
	return nil, err
}

// exemptForAWhile exempts a VPC, deletes its flow log, and takes the tag away.
func exemptForAWhile(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	if _, err := exempt(ctx, s, t); err != nil {
		return nil, err
	}
	if _, err := deleteFlowLogs(1)(ctx, s, t); err != nil {
		return nil, err
	}
	return unexempt(ctx, s, t)
}
