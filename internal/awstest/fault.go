package awstest

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Fail makes the next calls of an operation fail with these error codes, one
// each, with a message after ": " or another one; "" lets a call through. So
// Fail("DescribeVpcs", "", "InternalError: no") fails the second page.
func (a *Account) Fail(op string, codes ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults[op] = append(a.faults[op], codes...)
}

// Deny makes every call of an operation fail because the caller lacks permission. A
// region before the operation, as in "eu-west-1 ListRules", makes it fail there alone.
func (a *Account) Deny(op string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.denied[op] = true
}

// Allow undoes a Deny.
func (a *Account) Allow(op string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.denied, op)
}

// Refuse makes the next CreateFlowLogs calls for a resource, or the next imports of a
// finding, fail with these error codes, one each, inside replies that are successful as
// a whole. Sources: Amazon EC2 API Reference, CreateFlowLogs, "unsuccessful"; Security
// Hub API Reference, BatchImportFindings, FailedFindings.
func (a *Account) Refuse(resource string, codes ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refusals[resource] = append(a.refusals[resource], codes...)
}

// Lag delays later changes: they show only after n more listings of the changed
// resources; with 0 they show at once. Source: Amazon EC2 API Reference,
// "Eventual consistency".
func (a *Account) Lag(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lag = n
}

// fault returns the error that a test requested for this call, or nil.
func (c *request) fault() error {
	if c.denied[c.op] || c.denied[c.name+" "+c.op] {
		return refuse(deniedCode(c.service), "User: arn:aws:sts::%s:assumed-role/test is not authorized to perform: %s", c.ID, c.op)
	}
	code := next(c.faults, c.op)
	switch code {
	case "":
		return nil
	case assumeCode:
		return refuse("InvalidParameter", assumeText, c.arn("iam", "", "role/test"))
	}
	code, message, says := strings.Cut(code, ": ")
	if !says {
		message = "made to fail by the test"
	}
	return refuse(code, "%s", message)
}

// next removes and returns the first code queued under a key, or "".
func next(queues map[string][]string, key string) string {
	queue := queues[key]
	if len(queue) == 0 {
		return ""
	}
	queues[key] = queue[1:]
	return queue[0]
}

// deniedCode returns a service's code for a missing permission. Sources: "Error
// codes for the Amazon EC2 API"; "Common errors" of the API references of
// CloudWatch Logs, CloudWatch, IAM and CloudTrail; SNS API Reference, Publish.
func deniedCode(service string) string {
	switch service {
	case ec2.ServiceID:
		return "UnauthorizedOperation"
	case sns.ServiceID:
		return "AuthorizationError"
	case cloudwatch.ServiceID, iam.ServiceID, sts.ServiceID:
		return "AccessDenied"
	}
	return "AccessDeniedException"
}

// closedCode returns the code that a service answers in a region that the
// account has not opted into. Source: AWS Account Management Reference, "Enable
// or disable AWS Regions in your account"; the codes are assumed.
func (a *Account) closedCode(service string) string {
	if a.doubts(closedRegionCodes) {
		return "OptInRequired"
	}
	switch service {
	case ec2.ServiceID:
		return "AuthFailure"
	case sns.ServiceID, cloudwatch.ServiceID, iam.ServiceID:
		return "InvalidClientTokenId"
	}
	return "UnrecognizedClientException"
}
