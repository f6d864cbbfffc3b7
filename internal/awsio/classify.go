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
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// classes maps error codes to what they mean for relight. Sources: "Error
// codes for the Amazon EC2 API", "Common errors" of the CloudWatch Logs,
// CloudWatch, CloudTrail, SNS, Systems Manager and IAM API references.
// Throttling and 5xx are not listed: the SDK's own retry tables know them.
var classes = map[string]remedy.Class{
	"FlowLogAlreadyExists":           remedy.Present,
	"ResourceAlreadyExistsException": remedy.Present,
	"EntityAlreadyExists":            remedy.Present, // IAM

	"TrailAlreadyExistsException": remedy.Present,

	"TrailNotFoundException":    remedy.Missing,
	"ParameterNotFound":         remedy.Missing,
	"InvalidVpcID.NotFound":     remedy.Missing,
	"InvalidVpcId.NotFound":     remedy.Missing,
	"InvalidFlowLogId.NotFound": remedy.Missing,
	"ResourceNotFoundException": remedy.Missing,
	"ResourceNotFound":          remedy.Missing,
	"NotFound":                  remedy.Missing, // SNS
	"NotFoundException":         remedy.Missing,
	"NoSuchEntity":              remedy.Missing, // IAM

	abortedCode:                   remedy.Transient, // concurrent change to one log group
	"ServiceUnavailableException": remedy.Transient,
	"ConflictException":           remedy.Transient, // CloudTrail: another change of the trail is under way
	"InternalServerError":         remedy.Transient,
	"TooManyUpdates":              remedy.Transient, // Systems Manager
	"ConcurrentModification":      remedy.Transient, // IAM
	"ServiceFailure":              remedy.Transient,

	"UnauthorizedOperation": remedy.Terminal,
	"AccessDenied":          remedy.Terminal,
	"AccessDeniedException": remedy.Terminal,
	"AuthorizationError":    remedy.Terminal,

	"InvalidAction":             remedy.Terminal, // the region has no such operation
	"UnknownOperationException": remedy.Terminal,

	"AuthFailure":                 remedy.Terminal,
	"ExpiredToken":                remedy.Terminal,
	"ExpiredTokenException":       remedy.Terminal,
	"InvalidClientTokenId":        remedy.Terminal,
	"OptInRequired":               remedy.Terminal,
	"SignatureDoesNotMatch":       remedy.Terminal,
	"UnrecognizedClientException": remedy.Terminal,

	limitCode:                                                remedy.Terminal, // a quota of CloudWatch Logs, not a rate
	"400":                                                    remedy.Terminal, // CreateFlowLogs, of one resource; aws-controllers-k8s issue 1931 has a reply
	"FlowLogsLimitExceeded":                                  remedy.Terminal,
	"LimitExceeded":                                          remedy.Terminal,
	"LimitExceededFault":                                     remedy.Terminal,
	"InvalidOperationException":                              remedy.Terminal,
	"InvalidParameter":                                       remedy.Terminal,
	"InvalidParameterCombination":                            remedy.Terminal,
	"InvalidParameterException":                              remedy.Terminal,
	"InvalidParameterValue":                                  remedy.Terminal,
	"LogDestinationNotFoundException":                        remedy.Terminal,
	"LogDestinationPermissionIssue":                          remedy.Terminal,
	"LogDestinationPermissionIssueException":                 remedy.Terminal,
	"KMSAccessDenied":                                        remedy.Terminal, // SNS, Publish to an encrypted topic
	"KMSDisabled":                                            remedy.Terminal,
	"KMSInvalidState":                                        remedy.Terminal,
	"KMSNotFound":                                            remedy.Terminal,
	"KMSOptInRequired":                                       remedy.Terminal,
	"KMSThrottling":                                          remedy.Transient,
	keyInvalidState:                                          remedy.Transient, // KMS: the key is in another state than was read
	"DependencyTimeoutException":                             remedy.Transient, // KMS
	"KMSInternalException":                                   remedy.Transient,
	"CloudTrailAccessNotEnabledException":                    remedy.Terminal,
	"CloudTrailARNInvalidException":                          remedy.Terminal,
	"CloudWatchLogsDeliveryUnavailableException":             remedy.Terminal,
	"InsufficientEncryptionPolicyException":                  remedy.Terminal,
	"InsufficientS3BucketPolicyException":                    remedy.Terminal,
	"InsufficientSnsTopicPolicyException":                    remedy.Terminal,
	"InsufficientDependencyServiceAccessPermissionException": remedy.Terminal,
	"InvalidCloudWatchLogsLogGroupArnException":              remedy.Terminal,
	"InvalidCloudWatchLogsRoleArnException":                  remedy.Terminal,
	"InvalidEventSelectorsException":                         remedy.Terminal,
	"InvalidHomeRegionException":                             remedy.Terminal,
	"InvalidKmsKeyIdException":                               remedy.Terminal,
	"InvalidParameterCombinationException":                   remedy.Terminal,
	"InvalidS3BucketNameException":                           remedy.Terminal,
	"InvalidS3PrefixException":                               remedy.Terminal,
	"InvalidSnsTopicNameException":                           remedy.Terminal,
	"InvalidTrailNameException":                              remedy.Terminal,
	"KmsException":                                           remedy.Terminal,
	"KmsKeyDisabledException":                                remedy.Terminal,
	"KmsKeyNotFoundException":                                remedy.Terminal,
	"MaximumNumberOfTrailsExceededException":                 remedy.Terminal,
	"NoManagementAccountSLRExistsException":                  remedy.Terminal,
	"NotOrganizationManagementAccountException":              remedy.Terminal,
	"NotOrganizationMasterAccountException":                  remedy.Terminal,
	"OperationNotPermittedException":                         remedy.Terminal,
	"OrganizationNotInAllFeaturesModeException":              remedy.Terminal,
	"OrganizationsNotInUseException":                         remedy.Terminal,
	"S3BucketDoesNotExistException":                          remedy.Terminal,
	"UnsupportedOperationException":                          remedy.Terminal,
	"InvalidKeyId":                                           remedy.Terminal, // Systems Manager
	"ParameterMaxVersionLimitExceeded":                       remedy.Terminal,
	"ParameterLimitExceeded":                                 remedy.Terminal,
	"ParameterVersionLabelLimitExceeded":                     remedy.Terminal,
	"ValidationError":                                        remedy.Terminal,
	"ValidationException":                                    remedy.Terminal,
	"InvalidInput":                                           remedy.Terminal, // IAM
	"MalformedPolicyDocument":                                remedy.Terminal,
	"PolicyNotAttachable":                                    remedy.Terminal,
	"UnmodifiableEntity":                                     remedy.Terminal,
}

const (
	abortedCode = "OperationAbortedException"
	limitCode   = "LimitExceededException"
	putFilterOp = "logs.PutMetricFilter"

	// EC2 says so with code InvalidParameter while IAM still spreads a new
	// role. Source: the text Terraform's AWS provider waits on.
	roleNotAssumable = "Unable to assume given IAM role"
)

// hints says what a person can do about an error code.
var hints = map[string]string{
	"FlowLogsLimitExceeded":                                  "both flow log slots of the VPC are taken by others that do not satisfy the policy: delete one",
	limitCode:                                                "a quota is used up: delete what is not needed or ask for more",
	"LimitExceeded":                                          "a quota is used up: delete what is not needed or ask for more",
	"CloudTrailAccessNotEnabledException":                    "only the management account of the organisation can mend it: enable trusted access for CloudTrail there",
	"InsufficientEncryptionPolicyException":                  "let CloudTrail use the key, in its policy, or in that of the bucket",
	"InsufficientS3BucketPolicyException":                    "let CloudTrail write to the bucket, in its policy",
	"InsufficientSnsTopicPolicyException":                    "let CloudTrail publish to the topic, in its policy",
	"InsufficientDependencyServiceAccessPermissionException": "allow what CloudTrail needs for an organisation's trail: organizations:ListAWSServiceAccessForOrganization, iam:GetRole",
	"InvalidCloudWatchLogsLogGroupArnException":              "the log group is missing, or the trail's role may not write there",
	"InvalidCloudWatchLogsRoleArnException":                  "create the trail's role again, trusting cloudtrail.amazonaws.com and allowed to write to the log group, or name another: trail.roleArn",
	"InvalidHomeRegionException":                             "deploy relight in the trail's home region",
	"KmsException":                                           "see that the trail's key exists, is enabled and admits CloudTrail, or name another: trail.keyArn",
	"KmsKeyDisabledException":                                "enable the trail's key, or name another: trail.keyArn",
	"KmsKeyNotFoundException":                                "the trail's key is gone: name another: trail.keyArn",
	"MaximumNumberOfTrailsExceededException":                 "the region has as many trails as it takes: delete one that is not needed",
	"NotOrganizationManagementAccountException":              "only the management account of the organisation may change this trail: deploy relight there",
	"NotOrganizationMasterAccountException":                  "only the management account of the organisation may change this trail: deploy relight there",
	"OrganizationNotInAllFeaturesModeException":              "enable all features of the organisation",
	"S3BucketDoesNotExistException":                          "create the bucket again, with a policy that lets CloudTrail write, or name another: trail.bucket",

	"AuthFailure":                 "the region may not be enabled for this account, or the credentials are wrong",
	"OptInRequired":               "enable the region for this account, or leave it out of the configuration",
	"UnrecognizedClientException": "the region may not be enabled for this account, or the credentials are wrong",
	"ExpiredToken":                "sign in again: the credentials have expired",
	"ExpiredTokenException":       "sign in again: the credentials have expired",
	"InvalidClientTokenId":        "the credentials are wrong",
}

// deniedCodes are what the services call a missing permission.
var deniedCodes = []string{"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "AuthorizationError"}

// hintFor says what a person can do about an error of a call.
func hintFor(op, target, code string) string {
	if op == putFilterOp && code == limitCode {
		return "the log group has its 100 metric filters: delete those that nothing uses, and find out who made so many"
	}
	if !slices.Contains(deniedCodes, code) {
		return hints[code]
	}
	where := " on "
	if catalog.RegionShape.MatchString(target) { // a call about many things
		where = " in "
	}
	return "allow " + strings.Replace(op, ".", ":", 1) + where + target +
		" in the role's policy, and look for a service control policy, boundary or resource policy that denies it"
}

// wrap gives an error of an AWS call its class and a hint. It returns nil for
// nil.
func wrap(op, target string, err error) error {
	if err == nil {
		return nil
	}
	return &remedy.Error{Op: op, Target: target, Class: classify(err), Hint: hintFor(op, target, codeOf(err)), Err: err}
}

func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// unread returns the finding that something which only explains cannot be
// read, for an error that stays: repairs go on without it. Any other error is
// returned. The request's ID is left out: it would be news each time.
func unread(subject, whether string, err error) (*plan.Finding, error) {
	e, ok := errors.AsType[*remedy.Error](err)
	if !ok || e.Class.Retry() {
		return nil, err
	}
	why := e.Err.Error()
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		why = api.ErrorCode() + ": " + api.ErrorMessage()
	}
	todo := "Nothing, where the region does not have this call; otherwise mend what the error says."
	if e.Hint != "" {
		todo = strings.ToUpper(e.Hint[:1]) + e.Hint[1:] + "."
	}
	return &plan.Finding{Subject: subject, Problem: "cannot tell whether " + whether + ": " + e.Op + ": " + why, Remedy: todo}, nil
}

func classify(err error) remedy.Class {
	if assumesNotYet(err) {
		return remedy.Transient
	}
	if class, ok := classes[codeOf(err)]; ok {
		return class
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

// newRetryer returns the SDK's standard retryer with three differences: the
// SDK takes LimitExceededException for throttling, which in CloudWatch Logs
// is a used-up quota; it does not know OperationAbortedException and a role
// that IAM still spreads, which pass; and it has no token bucket, since a
// storm is when giving up early costs most.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 6
		o.MaxBackoff = 8 * time.Second
		o.RateLimiter = ratelimit.None
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(ownRetries)}, o.Retryables...)
	})
}

func ownRetries(err error) aws.Ternary {
	switch code := codeOf(err); {
	case code == limitCode:
		return aws.FalseTernary
	case code == abortedCode, assumesNotYet(err):
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}
