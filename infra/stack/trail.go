package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudtrail"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// newTrail adds a trail that satisfies CIS, for an account that has none, with
// everything that the trail needs: a bucket with versioning, no public access
// and access logging, a key, a log group, and a role that delivers there.
// Source: CIS AWS Foundations Benchmark 3.0, section 3 (3.1 every region and
// every management event, 3.2 validation, 3.4 access logging of the bucket, 3.5
// a customer managed key) and 4 (delivery to CloudWatch Logs).
//
// All of these resources outlive the stack, because removing relight must not
// stop the recording. Their names are fixed, so that the policies can name the
// trail before it exists. A stack that is deployed again finds the names in
// use.
//
// newTrail returns the resource for which the first sweep must wait.
func newTrail(s awscdk.Stack, p Props) constructs.IDependable {
	scope := constructs.NewConstruct(s, jsii.String("trail"))
	keep := awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE
	name := p.Config.Prefix
	trail := arn(s, "cloudtrail", *s.Region(), "trail/"+name)
	byTrail := conditions{"StringEquals": {"aws:SourceArn": trail}}

	key := awskms.NewKey(scope, jsii.String("Key"), &awskms.KeyProps{
		Description: jsii.String("Encrypts the log files of trail " + name), EnableKeyRotation: jsii.Bool(true), RemovalPolicy: keep,
	})
	// Source: CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail".
	encrypt := allow([]string{"kms:GenerateDataKey*"}, []string{"*"}, conditions{
		"StringEquals": {"aws:SourceArn": trail},
		"StringLike":   {"kms:EncryptionContext:aws:cloudtrail:arn": arn(s, "cloudtrail", "*", "trail/*")},
	})
	encrypt.AddServicePrincipal(jsii.String(catalog.CloudTrailService), nil)
	key.AddToResourcePolicy(encrypt, jsii.Bool(false))
	describe := allow([]string{"kms:DescribeKey"}, []string{"*"}, byTrail)
	describe.AddServicePrincipal(jsii.String(catalog.CloudTrailService), nil)
	key.AddToResourcePolicy(describe, jsii.Bool(false))

	reads := closed(scope, "AccessLogs")
	files := closed(scope, "Bucket")
	// The bucket's policy grants the access, because a bucket with ACLs
	// switched off accepts no grant by ACL. Source: Amazon S3 User Guide,
	// "Permissions for log delivery".
	files.Node().DefaultChild().(awss3.CfnBucket).SetLoggingConfiguration(&awss3.CfnBucket_LoggingConfigurationProperty{
		DestinationBucketName: reads.BucketName(), LogFilePrefix: jsii.String(name + "/"),
	})
	logged := allow([]string{"s3:PutObject"}, []string{*reads.BucketArn() + "/" + name + "/*"}, conditions{
		"ArnLike": {"aws:SourceArn": *files.BucketArn()}, "StringEquals": {"aws:SourceAccount": *s.Account()},
	})
	logged.AddServicePrincipal(jsii.String("logging.s3.amazonaws.com"), nil)
	reads.AddToResourcePolicy(logged)
	// Source: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail".
	check := allow([]string{"s3:GetBucketAcl"}, []string{*files.BucketArn()}, byTrail)
	check.AddServicePrincipal(jsii.String(catalog.CloudTrailService), nil)
	files.AddToResourcePolicy(check)
	write := allow([]string{"s3:PutObject"}, []string{*files.BucketArn() + "/AWSLogs/" + *s.Account() + "/*"}, conditions{
		"StringEquals": {"aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control"},
	})
	write.AddServicePrincipal(jsii.String(catalog.CloudTrailService), nil)
	files.AddToResourcePolicy(write)
	files.Policy().ApplyRemovalPolicy(keep)
	reads.Policy().ApplyRemovalPolicy(keep)

	group := awslogs.NewCfnLogGroup(scope, jsii.String("LogGroup"), &awslogs.CfnLogGroupProps{
		LogGroupName: jsii.String(p.baseline().Name("trail")), RetentionInDays: jsii.Number(p.baseline().LogGroup.RetentionDays),
	})
	if k := p.Config.KMSKeys[p.Home]; k != "" {
		group.SetKmsKeyId(jsii.String(k))
	}
	group.ApplyRemovalPolicy(keep, nil)
	// Source: CloudTrail User Guide, "Role policy document for CloudTrail to
	// use CloudWatch Logs for monitoring". The role may not create the log
	// group, so that relight restores a deleted log group with its retention.
	// Its trust has no condition, as in the guide's example: an earlier edition
	// of the same page says that CloudTrail supports neither aws:SourceArn nor
	// aws:SourceAccount there ("Confused deputy prevention is not applicable"),
	// and the present edition does not mention it. Sources: CloudTrail User
	// Guide, the same page, and "Sending events to CloudWatch Logs", creating a
	// role; prowler issue 4714 (delivery broke with either key).
	role := awsiam.NewRole(scope, jsii.String("Role"), &awsiam.RoleProps{
		Description: jsii.String("Trail " + name + " delivers to " + p.baseline().Name("trail")),
		AssumedBy:   service(catalog.CloudTrailService, nil),
		InlinePolicies: inline("deliver", allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"},
			[]string{arn(s, "logs", *s.Region(), "log-group:"+p.baseline().Name("trail")+":log-stream:"+*s.Account()+"_CloudTrail_"+*s.Region()+"*")}, nil)),
	})
	role.ApplyRemovalPolicy(keep)

	t := awscloudtrail.NewCfnTrail(scope, jsii.String("Trail"), &awscloudtrail.CfnTrailProps{
		TrailName: jsii.String(name), IsLogging: jsii.Bool(true), IsMultiRegionTrail: jsii.Bool(true),
		IncludeGlobalServiceEvents: jsii.Bool(true), EnableLogFileValidation: jsii.Bool(true),
		S3BucketName: files.BucketName(), KmsKeyId: key.KeyArn(),
		CloudWatchLogsLogGroupArn: group.AttrArn(), CloudWatchLogsRoleArn: role.RoleArn(),
	})
	t.ApplyRemovalPolicy(keep, nil)
	t.Node().AddDependency(files.Policy(), role, key)
	return t
}

// closed adds a bucket for log files. The bucket has no public access and
// outlives the stack.
func closed(scope constructs.Construct, id string) awss3.Bucket {
	return awss3.NewBucket(scope, jsii.String(id), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		Versioned:         jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
	})
}
