// Package probe observes what relight believes of AWS, on a real account: it
// makes a handful of resources under a prefix of its own, makes calls whose
// answers are not documented, reports what it saw, and removes what it made.
// The command links it, no function does.
package probe

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// DefaultPrefix begins the names of all that a run makes. It does not begin
// with relight's own prefix.
const DefaultPrefix = "probe-relight"

// Tag is the key of the tag that every resource carries; its value is the
// prefix with the run's number.
const Tag = "relight-probe"

// Placeholder replaces the account's number in a report, so that a report can
// be shown to others.
const Placeholder = "111122223333"

// Options say where and how to observe.
type Options struct {
	AWS     aws.Config // its region is observed
	Account string     // 12 digits
	Prefix  string     // default DefaultPrefix

	// Wait limits how long the run waits for one event. Poll is the time between
	// two reads while it waits.
	Wait, Poll time.Duration

	// Abandon, if it is closed, ends the removal of what was made too. The report
	// says what is left then. It may be nil.
	Abandon <-chan struct{}

	Say func(line string) // reports progress; may be nil
}

// withDefaults returns the options with everything set that may be left out.
func (o Options) withDefaults() Options {
	o.Prefix = cmp.Or(o.Prefix, DefaultPrefix)
	o.Poll = cmp.Or(o.Poll, 2*time.Second)
	if o.Say == nil {
		o.Say = func(string) {}
	}
	return o
}

// A Verdict compares what was seen with a belief.
type Verdict string

// These are the verdicts.
const (
	Agrees    Verdict = "agrees"
	Disagrees Verdict = "disagrees"
	NotSeen   Verdict = "not seen"
)

// A Result is what a run saw of one belief.
type Result struct {
	ID      string  `json:"id"`
	Ref     string  `json:"ref"`
	Belief  string  `json:"belief"`
	Verdict Verdict `json:"verdict"`
	Seen    string  `json:"seen,omitempty"` // what AWS answered
	Why     string  `json:"why,omitempty"`  // why it was not seen

	// Seconds is what was measured, if the belief is about time.
	Seconds *float64 `json:"seconds,omitempty"`
}

// A Report is what a run saw, in the order of Beliefs. It does not have the
// account's number.
type Report struct {
	Region  string    `json:"region"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended"`
	Results []Result  `json:"results"`
	Left    []string  `json:"left,omitempty"` // what could not be removed, and why
}

// Count returns how many results have a verdict.
func (r Report) Count(v Verdict) int {
	n := 0
	for _, res := range r.Results {
		if res.Verdict == v {
			n++
		}
	}
	return n
}

// A run is one execution of the command.
type run struct {
	Options
	clients
	tag         string // the run's prefix, and the value of its tag
	interrupted func() bool
	partition   string // of its region
	ledger      ledger
	results     map[string]Result
	began       time.Time
	mailbox     mailbox

	// Experiments leave here what later ones need.
	queueARN     string
	topicARN     string
	keyARN       string
	roleARN      string
	lockedARN    string
	policyARN    string
	vpc          string
	flowLogs     []string  // two that are deleted in one call
	third        string    // a flow log that stays until its VPC is deleted
	subscription string    // of a topic that was deleted
	topicDeleted time.Time // when it was deleted
}

// An experiment makes calls and records what it saw of its beliefs. Whatever it
// makes, it enters in the ledger first.
type experiment struct {
	name    string
	beliefs []string
	do      func(*run, context.Context) error
}

// experiments returns all experiments in order. Later ones use what earlier
// ones made.
func experiments() []experiment {
	return []experiment{
		{"collect events", nil, (*run).collectEvents},
		{"record calls", nil, (*run).recordCalls},
		{"wait for the first event", nil, (*run).firstEvent},
		{"policy versions", nil, (*run).policyVersions},
		{"roles", []string{"iam-reads-lag"}, (*run).roles},
		{"key", nil, (*run).key},
		{"log groups", []string{
			"no-transformer-is-an-error", "filter-on-infrequent-access", "protected-group-code", "no-group-is-no-error",
		}, (*run).logGroups},
		{"alarms", []string{"mute-rules-by-alarm", "alarm-action-in-another-region"}, (*run).alarms},
		{"flow logs", []string{
			"vpc-shows-in-time", "missing-vpc-code", "unassumable-role-fails-whole-call", "missing-vpc-fails-alone", "flow-log-success-at-once",
			"format-makes-no-difference", "client-token-repeats-reply", "flow-log-by-arn-has-group-name", "group-filter-finds-arn",
			"flow-log-limit-fails-alone",
		}, (*run).makeFlowLogs},
		{"topic", []string{
			"subscription-outlives-topic", "recreated-topic-lists-nothing", "recreated-topic-reaches-old-subscription", "endpoint-keeps-its-case",
		}, (*run).topic},
		{"closed regions", []string{"closed-region-ec2", "closed-region-logs", "closed-region-sns", "closed-region-cloudwatch"}, (*run).closedRegions},
		{"trails refused", []string{
			"trail-group-without-role", "trail-role-without-group", "trail-key-missing", "trail-key-malformed", "trail-topic-missing",
		}, (*run).refusedTrails},
		{"a trail's topic", []string{"update-checks-the-kept-topic", "empty-topic-removes-it"}, (*run).trailTopic},
		{"a trail's log group", []string{
			"trail-role-missing", "update-checks-the-kept-role", "trail-role-without-rights", "empty-group-and-role-remove-them",
		}, (*run).trailGroup},
		{"a trail's key", []string{
			"update-checks-the-kept-key", "empty-key-removes-it", "trail-key-disabled", "group-with-disabled-key",
		}, (*run).trailKey},
		{"event selectors", []string{"selector-fields-are-sorted"}, (*run).selectors},
		{"records of calls", []string{
			"record-of-group-protection", "record-of-group-key", "record-of-transformer", "record-of-data-protection", "record-of-mute-rule",
			"mute-raises-no-direct-event", "direct-event-source", "record-of-boundary", "record-of-policy-version", "record-of-default-version", "global-region",
		}, (*run).records},
		{"a deleted VPC", []string{"flow-log-to-nowhere", "record-of-delete-flow-logs", "flow-logs-outlive-vpc"}, (*run).deletedVPC},
		{"an old subscription", []string{"old-subscription-lasts"}, (*run).oldSubscription},
		{"a stopped trail", []string{"stop-logging-reaches-eventbridge", "history-shows-stop-logging"}, (*run).stopTrail},
		{"latency", []string{"event-latency"}, (*run).latency},
	}
}

// Plan returns what a run makes, one line each, and what it costs.
func Plan() (resources []string, cost string) {
	return []string{
		"1 VPC without subnets (10.254.0.0/28), and up to 5 flow logs on it",
		"up to 6 log groups, with metric filters, a transformer and a data protection policy on empty ones",
		"2 IAM roles and 1 managed policy, all attached to nothing else",
		"1 KMS key, which AWS deletes 7 days after the run",
		"1 S3 bucket and 1 CloudTrail trail of this region that delivers to it, more trails if AWS accepts what it should refuse",
		"2 SNS topics with 2 subscriptions, 1 SQS queue, 2 EventBridge rules",
		"1 alarm and 1 mute rule for it",
	}, "A run costs less than 0.10 USD: the key for some minutes, and requests. If another trail already\n" +
		"logs management events, the copy for the run's trail costs 2 USD per 100,000 events meanwhile."
}

// Run makes the experiments and removes all that they made, also if ctx is
// cancelled or an experiment fails. It returns an error if the run was
// interrupted or something could not be removed; the report has what was seen
// until then and what is left.
func Run(ctx context.Context, o Options) (Report, error) {
	o = o.withDefaults()
	partition, known := catalog.PartitionOf(o.AWS.Region)
	if !known {
		return Report{}, fmt.Errorf("region %q is in no partition that relight knows", o.AWS.Region)
	}
	r := &run{Options: o, results: map[string]Result{}, began: time.Now(), tag: o.Prefix + "-" + strings.ToLower(rand.Text()[:8]), partition: partition.ID}
	r.interrupted = func() bool { return ctx.Err() != nil }
	r.mailbox.calls = map[string]time.Time{}
	r.clients = newClients(r.noting())
	for _, e := range experiments() {
		if ctx.Err() != nil {
			break
		}
		r.Say(e.name)
		err := e.do(r, ctx)
		if err != nil && ctx.Err() == nil {
			r.Say(e.name + ": " + r.anonymous(said(err)))
		}
		for _, id := range e.beliefs {
			r.unseen(id, why(err))
		}
	}
	left := r.cleanUp(ctx)
	report := r.report(ctx)
	for _, l := range left {
		report.Left = append(report.Left, r.anonymous(l))
	}
	if len(left) > 0 {
		return report, errors.Join(ctx.Err(), fmt.Errorf("%d resources could not be removed", len(left)))
	}
	return report, ctx.Err()
}

// why returns why an experiment that ended with err did not see a belief.
func why(err error) string {
	if err == nil {
		return "the answer did not show it"
	}
	return "a step before it failed: " + said(err)
}

func (r *run) report(ctx context.Context) Report {
	rep := Report{Region: r.AWS.Region, Began: r.began.UTC().Truncate(time.Second), Ended: time.Now().UTC().Truncate(time.Second)}
	for _, b := range Beliefs() {
		res, seen := r.results[b.ID]
		switch {
		case seen:
		case b.Unseen != "":
			res = Result{Verdict: NotSeen, Why: b.Unseen}
		case ctx.Err() != nil:
			res = Result{Verdict: NotSeen, Why: "the run was interrupted before"}
		default:
			res = Result{Verdict: NotSeen, Why: "no experiment reported it"}
		}
		res.ID, res.Ref, res.Belief = b.ID, b.Ref, b.Text
		res.Seen, res.Why = r.anonymous(res.Seen), r.anonymous(res.Why)
		rep.Results = append(rep.Results, res)
	}
	return rep
}

// anonymous returns a text without the account's number.
func (r *run) anonymous(text string) string {
	if r.Account == "" {
		return text
	}
	return strings.ReplaceAll(text, r.Account, Placeholder)
}

// saw records whether an answer agrees with a belief. The first answer counts.
func (r *run) saw(id string, agrees bool, format string, args ...any) {
	if _, done := r.results[id]; done {
		return
	}
	v := Disagrees
	if agrees {
		v = Agrees
	}
	r.results[id] = Result{Verdict: v, Seen: fmt.Sprintf(format, args...)}
}

// measured records a time that belongs to a result.
func (r *run) measured(id string, d time.Duration) {
	res, s := r.results[id], d.Seconds()
	res.Seconds = &s
	r.results[id] = res
}

// unseen records why a belief was not seen. If the run is interrupted, that is
// why, and the report says so.
func (r *run) unseen(id, why string) {
	if _, done := r.results[id]; !done && !r.interrupted() {
		r.results[id] = Result{Verdict: NotSeen, Why: why}
	}
}

// refusal records whether AWS refused a call with one of the codes that a
// belief names. A call that your credentials may not make shows nothing.
func (r *run) refusal(id string, err error, codes ...string) {
	switch code := codeOf(err); {
	case err == nil:
		r.saw(id, false, "accepted")
	case code == "":
		r.unseen(id, said(err))
	case slices.Contains(codes, code):
		r.saw(id, true, "%s", said(err))
	case denied(code):
		r.unseen(id, "your credentials may not make the call: "+said(err))
	default:
		r.saw(id, false, "%s", said(err))
	}
}

// accepted records whether AWS accepted a call, as a belief says.
func (r *run) accepted(id string, err error) {
	switch {
	case err == nil:
		r.saw(id, true, "accepted")
	case codeOf(err) == "" || denied(codeOf(err)):
		r.unseen(id, said(err))
	default:
		r.saw(id, false, "%s", said(err))
	}
}

// until calls f until it is done, fails, or the limit has passed, at least
// once. It returns the time that passed.
func (r *run) until(ctx context.Context, limit time.Duration, f func() (done bool, err error)) (time.Duration, bool, error) {
	begin := time.Now()
	for {
		done, err := f()
		if took := time.Since(begin); done || err != nil || took >= limit {
			return took, done, err
		}
		select {
		case <-ctx.Done():
			return time.Since(begin), false, ctx.Err()
		case <-time.After(r.Poll):
		}
	}
}

// propagation limits how long a run waits until a service accepts a new role or
// a policy. IAM's documents say that changes take seconds.
const propagation = 30 * time.Second

// spread repeats a call while AWS refuses it, because a role or a policy may
// not have spread yet.
func (r *run) spread(ctx context.Context, call func() error) error {
	var last error
	_, _, err := r.until(ctx, min(propagation, r.Wait), func() (bool, error) {
		last = call()
		return last == nil, ctx.Err()
	})
	return errors.Join(last, err)
}

func (r *run) name(suffix string) string { return r.tag + "-" + suffix }

// codeOf returns the code of AWS's refusal, or "" if the error is another one.
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// said returns AWS's code and message, or the error.
func said(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return strings.TrimSuffix(api.ErrorCode()+": "+api.ErrorMessage(), ": ")
	}
	return fmt.Sprint(err)
}

func denied(code string) bool {
	return slices.Contains([]string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "AuthorizationErrorException"}, code)
}
