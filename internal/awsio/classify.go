package awsio

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

// classes lists what error codes mean for relight. Sources: "Error codes for
// the Amazon EC2 API", "Common errors" of the CloudWatch Logs, CloudWatch,
// CloudTrail, SNS, SQS, STS, Lambda, EventBridge, EventBridge Scheduler, CloudFormation,
// Systems Manager, Security Hub, KMS and IAM API references, and the
// errors of their operations. Throttling and 5xx are not listed: the SDK's own retry
// tables know them.
var classes = map[remedy.Class][]string{
	remedy.Present: {
		"EntityAlreadyExists", // IAM
		"FlowLogAlreadyExists", "ResourceAlreadyExistsException", "TrailAlreadyExistsException",
	},
	remedy.Missing: {
		"InvalidFlowLogId.NotFound", "InvalidVpcID.NotFound", "InvalidVpcId.NotFound", "InvalidSubnetID.NotFound", "InvalidNetworkInterfaceID.NotFound", // EC2
		"NoSuchEntity", // IAM
		"NotFound",     // SNS
		"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", // SQS, by its older protocol and by its newer one
		"NotFoundException", "ParameterNotFound", "ResourceNotFound", "ResourceNotFoundException", "TrailNotFoundException",
	},
	remedy.Transient: {
		abortedCode,                                // a concurrent change to one log group
		"ConcurrentModification", "ServiceFailure", // IAM
		"ConflictException",                         // CloudTrail: another change of the trail is in progress
		"ConcurrentAccess", "StaleTag", "Throttled", // SNS
		"ConcurrentModificationException", "InternalException", "InternalServerException", // EventBridge, and the last one Scheduler
		"DependencyTimeoutException", "KMSInternalException", "KMSThrottling", keyInvalidState, // KMS; the last one: the key's state changed after relight read it
		"InternalServerError", "ServiceException", "ServiceUnavailableException",
		"ResourceConflictException", "ResourceInUseException", // Lambda
		"TooManyUpdates", // Systems Manager
	},
	remedy.Terminal: slices.Concat(deniedCodes, []string{
		"InvalidAction", "UnknownOperationException", // the region has no such operation

		"AuthFailure", "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "OptInRequired", "SignatureDoesNotMatch", "UnrecognizedClientException",

		"InvalidOperationException", "InvalidParameter", "InvalidParameterCombination", "InvalidParameterCombinationException", "InvalidParameterException",
		"InvalidParameterValue", "OperationNotPermittedException", "UnsupportedOperationException", "ValidationError", "ValidationException",

		limitCode, // a quota of CloudWatch Logs, not a rate
		"FlowLogsLimitExceeded", "LimitExceeded", "LimitExceededFault", "MaximumNumberOfTrailsExceededException",

		"400", // CreateFlowLogs, for one resource; aws-controllers-k8s issue 1931 shows a reply
		"LogDestinationNotFoundException", "LogDestinationPermissionIssue", "LogDestinationPermissionIssueException",

		"CloudTrailAccessNotEnabledException", "CloudTrailARNInvalidException", "CloudWatchLogsDeliveryUnavailableException",
		"InsufficientDependencyServiceAccessPermissionException", "InsufficientEncryptionPolicyException", "InsufficientS3BucketPolicyException",
		"InsufficientSnsTopicPolicyException", "InvalidCloudWatchLogsLogGroupArnException", "InvalidCloudWatchLogsRoleArnException",
		"InvalidEventSelectorsException", "InvalidHomeRegionException", "InvalidKmsKeyIdException", "InvalidS3BucketNameException",
		"InvalidS3PrefixException", "InvalidSnsTopicNameException", "InvalidTrailNameException", "KmsException", "KmsKeyDisabledException",
		"KmsKeyNotFoundException", "NoManagementAccountSLRExistsException", "NotOrganizationManagementAccountException",
		"NotOrganizationMasterAccountException", "OrganizationNotInAllFeaturesModeException", "OrganizationsNotInUseException", "S3BucketDoesNotExistException",

		"KMSAccessDenied", "KMSDisabled", "KMSInvalidState", "KMSNotFound", "KMSOptInRequired", // SNS, Publish to an encrypted topic

		"PackedPolicyTooLarge", "RegionDisabledException", // STS

		"InvalidKeyId", "ParameterLimitExceeded", "ParameterMaxVersionLimitExceeded", "ParameterVersionLabelLimitExceeded", // Systems Manager

		"InvalidInput", "MalformedPolicyDocument", "PolicyNotAttachable", "UnmodifiableEntity", // IAM

		"InvalidAddress", "InvalidAttributeName", "InvalidSecurity", "UnsupportedOperation", // SQS
		hubClosedCode, "InvalidInputException", // Security Hub
		"InvalidParameterValueException",                                                                                      // Lambda
		"InvalidEventPatternException", "ManagedRuleException", "OperationDisabledException", "ServiceQuotaExceededException", // EventBridge, and the last one Scheduler
	}),
}

const (
	abortedCode = "OperationAbortedException"
	limitCode   = "LimitExceededException"
	putFilterOp = "logs.PutMetricFilter"
	assumeOp    = "sts.AssumeRole"

	// Security Hub answers this where it is not enabled. Source: its API Reference, Common
	// Errors and BatchImportFindings, Errors, of an account without permission.
	hubClosedCode = "InvalidAccessException"

	// EC2 answers this with code InvalidParameter until IAM has propagated a
	// new role. Source: the text that Terraform's AWS provider waits for.
	roleNotAssumable = "Unable to assume given IAM role"
)

// hints describes what a person can do about an error code.
var hints = map[string]string{
	"FlowLogsLimitExceeded":                                  "the VPC has as many flow logs as it may have: delete one that does not satisfy the policy",
	limitCode:                                                "a quota is exhausted: delete what you do not need, or request a higher quota",
	"ServiceQuotaExceededException":                          "a quota is exhausted: delete what you do not need, or request a higher quota",
	"LimitExceeded":                                          "a quota is exhausted: delete what you do not need, or request a higher quota",
	"CloudTrailAccessNotEnabledException":                    "enable trusted access for CloudTrail in the management account of the organisation; no other account can do that",
	"InsufficientEncryptionPolicyException":                  "check that the trail's key exists and that its policy allows CloudTrail to use it, or configure another: trail.keyArn; the bucket's policy may also be the cause",
	"InsufficientS3BucketPolicyException":                    "allow CloudTrail to write to the bucket in the bucket's policy",
	"InsufficientSnsTopicPolicyException":                    "check that the trail's topic exists and that its policy allows CloudTrail to publish; if the topic is gone for good, relight accept makes relight forget it",
	"InsufficientDependencyServiceAccessPermissionException": "allow the actions that CloudTrail needs for an organisation's trail: organizations:ListAWSServiceAccessForOrganization, iam:GetRole",
	"InvalidCloudWatchLogsLogGroupArnException":              "the log group does not exist, or the trail's role may not write to it",
	"InvalidCloudWatchLogsRoleArnException":                  "create the trail's role again so that it trusts cloudtrail.amazonaws.com and may write to the log group, or configure another: trail.roleArn",
	"CloudWatchLogsDeliveryUnavailableException":             "CloudTrail does not deliver to a log group in this region: move the trail's home to another region",
	"InvalidHomeRegionException":                             "deploy relight in the trail's home region",
	"InvalidKmsKeyIdException":                               "the ARN of the trail's key is malformed; configure another: trail.keyArn",
	"InvalidS3BucketNameException":                           "the name of the trail's bucket is not valid; configure another: trail.bucket",
	"InvalidS3PrefixException":                               "the prefix of the log files in the bucket is not valid: change it, then run relight accept",
	"InvalidSnsTopicNameException":                           "the name of the trail's topic is not valid: remove the topic from the trail, then run relight accept",
	"KmsException":                                           "check that the trail's key exists, is enabled and allows CloudTrail, or configure another: trail.keyArn",
	"KmsKeyDisabledException":                                "enable the trail's key, or configure another: trail.keyArn",
	"KmsKeyNotFoundException":                                "the ARN of the trail's key is malformed or of another region; configure another: trail.keyArn",
	"MaximumNumberOfTrailsExceededException":                 "the region has the maximum number of trails: delete one that you do not need",
	"NoManagementAccountSLRExistsException":                  "enable trusted access for CloudTrail in the management account of the organisation, which creates the service-linked role",
	"NotOrganizationManagementAccountException":              "only the management account of the organisation may change this trail: deploy relight there",
	"NotOrganizationMasterAccountException":                  "only the management account of the organisation may change this trail: deploy relight there",
	"OrganizationNotInAllFeaturesModeException":              "enable all features of the organisation",
	"OrganizationsNotInUseException":                         "the account is in no organisation: run relight accept once the trail is as it has to be",
	"S3BucketDoesNotExistException":                          "create the bucket again with a policy that allows CloudTrail to write, or configure another: trail.bucket",

	"AuthFailure":                 "the region may not be enabled for this account, or the credentials are wrong",
	"OptInRequired":               "enable the region for this account, or remove it from the configuration",
	"UnrecognizedClientException": "the region may not be enabled for this account, or the credentials are wrong",
	"ExpiredToken":                "sign in again: the credentials have expired",
	"ExpiredTokenException":       "sign in again: the credentials have expired",
	"InvalidClientTokenId":        "the credentials are wrong",
}

// deniedCodes are the services' codes for a missing permission.
var deniedCodes = []string{"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "AuthorizationError"}

// hintFor describes what a person can do about the error of a call.
func hintFor(op, target, code string) string {
	if op == putFilterOp && code == limitCode {
		return "the log group has the maximum of 100 metric filters: delete those that nothing uses, and find out who made so many"
	}
	if code == hubClosedCode {
		return "enable Security Hub there (aws securityhub enable-security-hub --region " + target + "), or leave audit.securityHub out of the configuration and deploy again"
	}
	if !slices.Contains(deniedCodes, code) {
		return hints[code]
	}
	if op == assumeOp {
		return "deploy there the template that relight spoke-template prints, or exclude the account: organization.excludeAccounts. If the role is there, compare it with the template, " +
			"and look for a service control policy or boundary that denies sts:AssumeRole or sts:TagSession"
	}
	where := " on "
	if catalog.RegionShape.MatchString(target) { // a call with many targets
		where = " in "
	}
	return "allow " + strings.Replace(op, ".", ":", 1) + where + target +
		" in the role's policy, and look for a service control policy, boundary or resource policy that denies it"
}

func classify(err error) remedy.Class {
	if assumesNotYet(err) {
		return remedy.Transient
	}
	for class, codes := range classes {
		if slices.Contains(codes, codeOf(err)) {
			return class
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return remedy.Transient
	}
	if http, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && http.HTTPStatusCode() >= 500 {
		return remedy.Transient
	}
	if retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary {
		return remedy.Transient
	}
	return remedy.Unknown
}

func assumesNotYet(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorCode() == "InvalidParameter" && strings.Contains(api.ErrorMessage(), roleNotAssumable)
}

// newRetryer returns the SDK's standard retryer with two differences. The SDK
// treats LimitExceededException as throttling, but in CloudWatch Logs it is an
// exhausted quota, so relight does not retry it. There is no token bucket, because
// giving up early costs most in a storm of events. What else passes by itself is
// in passings.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 6
		o.MaxBackoff = 8 * time.Second
		o.RateLimiter = ratelimit.None
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(ownRetries)}, o.Retryables...)
	})
}

func ownRetries(err error) aws.Ternary {
	if codeOf(err) == limitCode {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}
