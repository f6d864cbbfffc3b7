package awstest

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	smithy "github.com/aws/smithy-go"
)

// Codes are error codes on which a decision of relight depends: whether a call
// is repeated, which part of a request is at fault, what is tried instead.
// When AWS answers a code, beyond what its documents say, is a Belief. A code
// that is not listed decides nothing: relight tries again, and reports the failure
// in AWS's words.
type Codes struct {
	Names    []string
	Of       string // the services that answer it
	Grade    Grade
	Evidence string // document and section, or who recorded it and when
	Belief   string // of assumed codes: the ID of the belief that says what follows if they are others
}

// ErrorCodes returns the graded codes in the order of their grades, the weakest
// first.
func ErrorCodes() []Codes {
	all := slices.Clone(errorCodes)
	slices.SortStableFunc(all, func(a, b Codes) int {
		return slices.Index(Grades(), a.Grade) - slices.Index(Grades(), b.Grade)
	})
	return all
}

const (
	ec2Codes    = "Amazon EC2 Developer Guide, Error codes for the Amazon EC2 API."
	commonCodes = "Common Error Types, in the service's API reference."
)

var errorCodes = []Codes{
	{Names: []string{"InvalidVpcId.NotFound"}, Of: "EC2", Grade: Assumed, Evidence: "Another spelling of a documented code.", Belief: vpcMissingCode},
	{Names: []string{"ExpiredToken"}, Of: "services of the query protocol", Grade: Assumed, Evidence: "Amazon S3 API Reference, Error responses, of S3.", Belief: "expired-token-code"},

	{Names: named(
		&logstypes.InvalidOperationException{}, &logstypes.OperationAbortedException{}, &logstypes.ServiceUnavailableException{},
		&logstypes.UnrecognizedClientException{}, &logstypes.ValidationException{},
	), Of: "CloudWatch Logs", Grade: Modelled, Evidence: "API model of CloudWatch Logs."},
	{Names: []string{"AWS.SimpleQueueService.NonExistentQueue"}, Of: "Amazon SQS", Grade: Modelled, Evidence: "API model of Amazon SQS: the code of QueueDoesNotExist in the query protocol."},
	{Names: named(
		&sqstypes.InvalidAddress{}, &sqstypes.InvalidAttributeName{}, &sqstypes.InvalidSecurity{}, &sqstypes.QueueDoesNotExist{}, &sqstypes.UnsupportedOperation{},
	), Of: "Amazon SQS", Grade: Modelled, Evidence: "API model of Amazon SQS."},
	{Names: named(&lambdatypes.InvalidParameterValueException{}, &lambdatypes.ResourceConflictException{}, &lambdatypes.ResourceInUseException{}, &lambdatypes.ServiceException{}), Of: "Lambda", Grade: Modelled, Evidence: "API model of Lambda."},
	{Names: named(
		&eventtypes.ConcurrentModificationException{}, &eventtypes.InternalException{}, &eventtypes.InvalidEventPatternException{}, &eventtypes.LimitExceededException{},
		&eventtypes.ManagedRuleException{}, &eventtypes.OperationDisabledException{}, &eventtypes.ResourceNotFoundException{},
	), Of: "EventBridge", Grade: Modelled, Evidence: "API model of Amazon EventBridge."},
	{Names: named(
		&schedulertypes.ConflictException{}, &schedulertypes.InternalServerException{}, &schedulertypes.ResourceNotFoundException{},
		&schedulertypes.ServiceQuotaExceededException{}, &schedulertypes.ThrottlingException{}, &schedulertypes.ValidationException{},
	), Of: "EventBridge Scheduler", Grade: Modelled, Evidence: "API model of Amazon EventBridge Scheduler."},
	{Names: named(&cloudwatchtypes.LimitExceededFault{}, &cloudwatchtypes.ResourceNotFoundException{}), Of: "CloudWatch", Grade: Modelled, Evidence: "API model of CloudWatch."},
	{Names: named(
		&cloudtrailtypes.CloudTrailAccessNotEnabledException{}, &cloudtrailtypes.CloudTrailARNInvalidException{}, &cloudtrailtypes.CloudWatchLogsDeliveryUnavailableException{},
		&cloudtrailtypes.ConflictException{}, &cloudtrailtypes.InsufficientDependencyServiceAccessPermissionException{}, &cloudtrailtypes.InsufficientS3BucketPolicyException{},
		&cloudtrailtypes.InvalidEventSelectorsException{}, &cloudtrailtypes.InvalidHomeRegionException{}, &cloudtrailtypes.InvalidKmsKeyIdException{},
		&cloudtrailtypes.InvalidParameterCombinationException{}, &cloudtrailtypes.InvalidS3BucketNameException{}, &cloudtrailtypes.InvalidS3PrefixException{},
		&cloudtrailtypes.InvalidSnsTopicNameException{}, &cloudtrailtypes.InvalidTrailNameException{}, &cloudtrailtypes.KmsKeyDisabledException{},
		&cloudtrailtypes.MaximumNumberOfTrailsExceededException{}, &cloudtrailtypes.NoManagementAccountSLRExistsException{},
		&cloudtrailtypes.NotOrganizationManagementAccountException{}, &cloudtrailtypes.NotOrganizationMasterAccountException{},
		&cloudtrailtypes.OperationNotPermittedException{}, &cloudtrailtypes.OrganizationNotInAllFeaturesModeException{},
		&cloudtrailtypes.OrganizationsNotInUseException{}, &cloudtrailtypes.S3BucketDoesNotExistException{},
		&cloudtrailtypes.TrailAlreadyExistsException{}, &cloudtrailtypes.UnsupportedOperationException{},
	), Of: "CloudTrail", Grade: Modelled, Evidence: "API model of CloudTrail."},
	{Names: named(
		&snstypes.ConcurrentAccessException{}, &snstypes.StaleTagException{}, &snstypes.ThrottledException{},
		&snstypes.KMSInvalidStateException{}, &snstypes.KMSOptInRequired{}, &snstypes.KMSThrottlingException{},
	), Of: "Amazon SNS", Grade: Modelled, Evidence: "API model of Amazon SNS."},
	{Names: named(&hubtypes.InternalException{}, &hubtypes.InvalidAccessException{}, &hubtypes.InvalidInputException{}, &hubtypes.LimitExceededException{}), Of: "Security Hub", Grade: Modelled, Evidence: "API model of AWS Security Hub."},
	{Names: named(&kmstypes.DependencyTimeoutException{}, &kmstypes.KMSInternalException{}), Of: "AWS KMS", Grade: Modelled, Evidence: "API model of AWS KMS."},
	{Names: named(
		&iamtypes.ConcurrentModificationException{}, &iamtypes.EntityAlreadyExistsException{}, &iamtypes.InvalidInputException{}, &iamtypes.LimitExceededException{},
		&iamtypes.MalformedPolicyDocumentException{}, &iamtypes.NoSuchEntityException{}, &iamtypes.PolicyNotAttachableException{}, &iamtypes.ServiceFailureException{},
		&iamtypes.UnmodifiableEntityException{},
	), Of: "IAM", Grade: Modelled, Evidence: "API model of IAM."},
	{Names: named(
		&ssmtypes.InternalServerError{}, &ssmtypes.InvalidKeyId{}, &ssmtypes.ParameterLimitExceeded{}, &ssmtypes.ParameterMaxVersionLimitExceeded{},
		&ssmtypes.ParameterNotFound{}, &ssmtypes.ParameterVersionLabelLimitExceeded{}, &ssmtypes.TooManyUpdates{},
	), Of: "Systems Manager", Grade: Modelled, Evidence: "API model of AWS Systems Manager."},
	{Names: named(&ststypes.PackedPolicyTooLargeException{}, &ststypes.RegionDisabledException{}), Of: "AWS STS", Grade: Modelled, Evidence: "API model of AWS STS."},
	{Names: slices.Sorted(maps.Keys(retry.DefaultThrottleErrorCodes)), Of: "all services: throttling", Grade: Modelled, Evidence: "AWS SDK for Go v2, aws/retry, DefaultThrottleErrorCodes. LimitExceededException is an exception: relight does not repeat the call."},
	{Names: slices.Sorted(maps.Keys(retry.DefaultRetryableErrorCodes)), Of: "all services: timeouts", Grade: Modelled, Evidence: "AWS SDK for Go v2, aws/retry, DefaultRetryableErrorCodes."},

	{Names: []string{
		"AuthFailure", "FlowLogAlreadyExists", "FlowLogsLimitExceeded", "InvalidFlowLogId.NotFound", "InvalidParameterCombination", "InvalidParameterValue",
		"InvalidVpcID.NotFound", "InvalidSubnetID.NotFound", "InvalidNetworkInterfaceID.NotFound", "LogDestinationNotFoundException", "LogDestinationPermissionIssue", "SignatureDoesNotMatch", "UnauthorizedOperation",
	}, Of: "EC2", Grade: Documented, Evidence: ec2Codes},
	{Names: []string{"LogDestinationPermissionIssueException"}, Of: "EC2", Grade: Documented, Evidence: "Amazon VPC User Guide, Troubleshoot VPC Flow Logs, Exceeding the Amazon S3 bucket policy limit."},
	{Names: []string{"NoSuchBucket", "NoSuchBucketPolicy", "MethodNotAllowed"}, Of: "Amazon S3", Grade: Documented, Evidence: "Amazon S3 API Reference, Error responses, and GetBucketPolicy."},
	{Names: []string{"InvalidAction", "InvalidClientTokenId", "InvalidParameterCombination", "InvalidParameterValue", "OptInRequired", "ValidationError"}, Of: "services of the query protocol", Grade: Documented, Evidence: commonCodes},
	{Names: []string{"AccessDeniedException", "ExpiredTokenException", "OptInRequired", "UnknownOperationException", "UnrecognizedClientException"}, Of: "the other services", Grade: Documented, Evidence: commonCodes},

	{Names: []string{"400"}, Of: "EC2, of one resource", Grade: Recorded, Evidence: localstack + "2024-09-24."},
	{Names: []string{"InvalidParameter"}, Of: "EC2 and Amazon SNS", Grade: Recorded, Evidence: localstack + "2024-09-24 and 2025-10-13."},
	{Names: named(&logstypes.ResourceNotFoundException{}, &logstypes.ResourceAlreadyExistsException{}, &logstypes.InvalidParameterException{}), Of: "CloudWatch Logs", Grade: Recorded, Evidence: localstack + "2026-02-03 and 2026-02-05."},
	{Names: named(&logstypes.LimitExceededException{}), Of: "CloudWatch Logs", Grade: Recorded, Evidence: stackd + "2026-09-26."},
	{Names: []string{"ValidationError"}, Of: "CloudFormation, of a stack that does not exist", Grade: Recorded, Evidence: "boto/boto3 issue 2807, recorded 2021-04-02."},
	{Names: []string{"AccessDenied"}, Of: "CloudWatch", Grade: Recorded, Evidence: stackd + "2026-09-14, in records of denied calls."},
	{Names: named(&cloudwatchtypes.ResourceNotFound{}), Of: "CloudWatch", Grade: Recorded, Evidence: localstack + "2025-09-22."},
	{Names: named(&cloudtrailtypes.TrailNotFoundException{}), Of: "CloudTrail", Grade: Recorded, Evidence: custodian + "2019-07-31."},
	{Names: named(
		&cloudtrailtypes.InsufficientEncryptionPolicyException{}, &cloudtrailtypes.InsufficientSnsTopicPolicyException{},
		&cloudtrailtypes.InvalidCloudWatchLogsLogGroupArnException{}, &cloudtrailtypes.InvalidCloudWatchLogsRoleArnException{},
		&cloudtrailtypes.KmsException{}, &cloudtrailtypes.KmsKeyNotFoundException{},
	), Of: "CloudTrail", Grade: Recorded, Evidence: stackd + "2026-09-12 to 2026-09-20."},
	{Names: named(&snstypes.NotFoundException{}), Of: "Amazon SNS", Grade: Recorded, Evidence: stackd + "2026-09-14."},
	{Names: named(
		&snstypes.AuthorizationErrorException{}, &snstypes.KMSAccessDeniedException{}, &snstypes.KMSDisabledException{}, &snstypes.KMSNotFoundException{},
	), Of: "Amazon SNS", Grade: Recorded, Evidence: stackd + "2026-09-23."},
	{Names: named(&kmstypes.NotFoundException{}), Of: "AWS KMS", Grade: Recorded, Evidence: localstack + "2023-11-07 and 2025-11-10."},
	{Names: named(&kmstypes.KMSInvalidStateException{}), Of: "AWS KMS", Grade: Recorded, Evidence: stackd + "2026-09-12."},
}

// named returns the codes of errors that an API model defines.
func named(errors ...smithy.APIError) []string {
	var names []string
	for _, e := range errors {
		names = append(names, e.ErrorCode())
	}
	return names
}
