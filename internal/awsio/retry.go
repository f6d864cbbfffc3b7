package awsio

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	smithy "github.com/aws/smithy-go"
)

// A passing is an error of AWS that goes away by itself within seconds, and that
// the SDK does not retry.
type passing struct {
	service string   // IAM prefix
	ops     []string // none for every operation of the service
	code    string
	says    string          // part of the message; "" for any message
	made    bool            // only if this process created the target a moment ago
	waits   []time.Duration // one before each further try
}

var (
	briefly   = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second} // another change is in progress
	spreading = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}        // AWS has not copied a new resource everywhere
	perhaps   = spreading[:3]                                                                          // the same, or the resource is not as it has to be
)

// passings lists what passes by itself. Throttling and 5xx are not in it: the SDK
// retries those, under other names than SNS has for throttling.
//
// Sources, besides the Errors sections of the operations' API references:
//
//	iam, NoSuchEntity            terraform-provider-aws, pull request 18435: a new role is not found
//	cloudtrail, Access denied.   terraform-provider-aws, internal/service/cloudtrail/trail.go, which waits for
//	                             these two codes with that text while IAM spreads the role
//	cloudtrail, not found        the same file: a new trail is not found
//	sns, NotFound                ansible, pull request 67089: a new topic is not found
//	kms                          KMS API Reference, CancelKeyDeletion: eventual consistency
var passings = []passing{
	{service: "cloudtrail", code: "ConflictException", waits: spreading},
	{service: "cloudtrail", code: "InvalidCloudWatchLogsLogGroupArnException", says: accessDenied, waits: perhaps},
	{service: "cloudtrail", code: "InvalidCloudWatchLogsRoleArnException", says: accessDenied, waits: perhaps},
	{service: "cloudtrail", code: "TrailNotFoundException", made: true, waits: spreading},
	{service: "ec2", code: "InvalidParameter", says: roleNotAssumable, waits: spreading},
	{service: "iam", code: "ConcurrentModification", waits: briefly},
	{service: "iam", code: "NoSuchEntity", made: true, waits: spreading},
	{service: "kms", ops: []string{"kms.EnableKey"}, code: keyInvalidState, waits: briefly},
	{service: "lambda", ops: []string{invokeOp}, code: "ResourceConflictException", waits: briefly},                            // the function is being updated; of other calls it means another thing
	{service: "lambda", ops: []string{"lambda.CreateEventSourceMapping"}, code: "ResourceConflictException", waits: spreading}, // the mapping is still being deleted
	{service: "lambda", code: "ResourceInUseException", waits: spreading},                                                      // the mapping is still changing
	{service: "logs", code: abortedCode, waits: briefly},
	{service: "securityhub", code: limitCode, waits: briefly},  // of a rate, other than in CloudWatch Logs
	{service: "sns", code: "ConcurrentAccess", waits: briefly}, // of the tags of a topic
	{service: "sns", code: "KMSThrottling", waits: briefly},
	{service: "sns", code: "NotFound", made: true, waits: spreading},
	{service: "sns", code: "StaleTag", waits: spreading}, // a topic was deleted a moment ago, and its tags still exist
	{service: "sns", code: "Throttled", waits: briefly},
	{service: "ssm", code: "TooManyUpdates", waits: briefly},
}

// accessDenied begins CloudTrail's messages about a role that it cannot assume or
// that may not write to the log group: a new one, or one that is gone or was
// changed. The rest of the trail waits meanwhile.
const accessDenied = "Access denied."

// Limits of all waits together, so that whoever provokes such errors delays a
// repair and does not prevent it.
const (
	patience = 20 * time.Second // from the first wait of an observation, or of the actions of a plan, to the end of its last
	unspent  = 20 * time.Second // of a function's time that no wait may use
	madeFor  = 30 * time.Second // how long something that this process created is new
)

// passingOf returns the row of an error, or nil if the error does not pass by
// itself.
func (r *region) passingOf(service, op, target string, err error) *passing {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return nil
	}
	for i, p := range passings {
		if p.service == service && p.code == api.ErrorCode() && (len(p.ops) == 0 || slices.Contains(p.ops, op)) &&
			strings.Contains(api.ErrorMessage(), p.says) && (!p.made || r.isNew(service, target)) {
			return &passings[i]
		}
	}
	return nil
}

// noteMade remembers that a call created its target.
func (r *region) noteMade(service, op, target string) {
	if _, name, _ := strings.Cut(op, "."); strings.HasPrefix(name, "Create") {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.made[service+" "+target] = time.Now()
	}
}

func (r *region) isNew(service, target string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, known := r.made[service+" "+target]
	return known && time.Since(at) < madeFor
}

// A hurry limits the waits of several calls together.
type hurry struct {
	mu  sync.Mutex
	end time.Time // of the last wait; zero before the first
}

type hurryKey struct{}

// hurried returns a context for calls that together wait no longer than patience.
func hurried(ctx context.Context) context.Context {
	return context.WithValue(ctx, hurryKey{}, &hurry{})
}

// waits waits for d, and reports whether the call may be tried again. It does not
// wait if that would exceed patience or what is left of the function's time.
func (r *region) waits(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d+unspent {
		return false
	}
	if h, ok := ctx.Value(hurryKey{}).(*hurry); ok && !h.allows(d) {
		return false
	}
	return r.pause(ctx, d) == nil
}

func (h *hurry) allows(d time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if h.end.IsZero() {
		h.end = now.Add(patience)
	}
	return !now.Add(d).After(h.end)
}
