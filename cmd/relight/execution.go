package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/relight-aws/relight/internal/app"
)

// startTimeout limits the wait for the answer to a start. An interruption does not end that wait:
// whoever interrupts has to know whether there is an execution.
const startTimeout = 20 * time.Second

// mostResults is how many results of accounts are read between two looks at an execution.
// DescribeExecution may be called 10 to 15 times a second. Source: AWS Step Functions Developer
// Guide, "Step Functions service quotas", quotas related to API action throttling, documented.
const mostResults = 20

// machine is the state machine that sweeps an organisation. Nothing here ends an execution.
type machine struct {
	client *sfn.Client
	arn    string
	every  time.Duration // between two looks at an execution
	now    func() time.Time
}

// lookEvery is the time between two looks at an execution.
const lookEvery = 2 * time.Second

// name returns the name of the state machine.
func (m machine) name() string { return m.arn[strings.LastIndexByte(m.arn, ':')+1:] }

// execution returns the ARN of the execution of that name or ARN.
func (m machine) execution(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return strings.Replace(m.arn, ":stateMachine:", ":execution:", 1) + ":" + name
}

// nameOf returns the name of an execution.
func nameOf(execution string) string { return execution[strings.LastIndexByte(execution, ':')+1:] }

// start starts an execution of that name. Source of the name being enough to find it again, and
// of a second try with it being no second execution: AWS Step Functions API Reference,
// StartExecution, documented.
func (m machine) start(ctx context.Context, name string, input any) (arn string, err error) {
	raw, err := json.Marshal(input)
	if err != nil {
		return "", fmt.Errorf("encode the input: %w", err)
	}
	if err := ctx.Err(); err != nil { // nothing has begun
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTimeout)
	defer cancel()
	out, err := m.client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: aws.String(m.arn), Name: aws.String(name), Input: aws.String(string(raw))})
	if _, missing := errors.AsType[*types.StateMachineDoesNotExist](err); missing {
		return "", m.missing()
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("nobody knows whether execution %s has begun, because Step Functions did not answer within %s: relight backfill --watch %s shows it if it has: %w", name, startTimeout, name, err)
	}
	if err != nil {
		return "", fmt.Errorf("start the state machine %s (needs states:StartExecution): %w", m.name(), err)
	}
	return aws.ToString(out.ExecutionArn), nil
}

func (m machine) missing() error {
	return fmt.Errorf("there is no state machine %s: it sweeps an organisation, and is part of the stack of a hub: deploy again", m.name())
}

// latest returns the execution that began last among those that run, or, if none does, among all.
func (m machine) latest(ctx context.Context) (arn string, err error) {
	for _, status := range []types.ExecutionStatus{types.ExecutionStatusRunning, ""} {
		out, err := m.client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: aws.String(m.arn), StatusFilter: status, MaxResults: 1})
		if _, missing := errors.AsType[*types.StateMachineDoesNotExist](err); missing {
			return "", m.missing()
		}
		if err != nil {
			return "", fmt.Errorf("list the executions of %s (needs states:ListExecutions): %w", m.name(), err)
		}
		if len(out.Executions) > 0 {
			return aws.ToString(out.Executions[0].ExecutionArn), nil
		}
	}
	return "", fmt.Errorf("%s has not been started in the last 90 days: relight backfill starts it", m.name())
}

// A round is a map run of an execution: the accounts, or what the round before has left of them.
type round struct {
	arn                              string
	began                            time.Time
	over                             bool
	total, running, succeeded, ended int // cells; those that ended without success are in ended
	read                             map[string]bool
}

func (r *round) done() int { return r.succeeded + r.ended }

// An execution is what is known of one.
type execution struct {
	arn      string
	status   types.ExecutionStatus
	began    time.Time
	stopped  *time.Time
	input    string
	output   string
	failure  string // why it failed
	rounds   []*round
	accounts map[string]app.Swept   // by their ID, as far as their results are read
	failed   map[string]app.Unswept // likewise
	unread   error                  // why results cannot be read
}

// running reports whether an execution may still run.
func (e *execution) running() bool { return e.status == types.ExecutionStatusRunning || e.status == "" }

// errNoExecution says that there is no execution of that name.
var errNoExecution = errors.New("no execution")

// watch reads an execution until it is over, and shows each time what it knows. If the context
// ends first, or the execution cannot be read, it returns what it knows, and an error.
func (m machine) watch(ctx context.Context, arn string, show func(*execution)) (*execution, error) {
	e := &execution{arn: arn, accounts: map[string]app.Swept{}, failed: map[string]app.Unswept{}}
	for {
		if err := m.look(ctx, e); err != nil {
			return e, err
		}
		show(e)
		if !e.running() {
			return e, nil
		}
		select {
		case <-ctx.Done():
			return e, ctx.Err()
		case <-time.After(m.every):
		}
	}
}

// look reads what has changed of an execution. Once it is over, it reads every result.
func (m machine) look(ctx context.Context, e *execution) error {
	out, err := m.client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: aws.String(e.arn)})
	if _, missing := errors.AsType[*types.ExecutionDoesNotExist](err); missing {
		return fmt.Errorf("%s has %w %s: Step Functions keeps them for 90 days", m.name(), errNoExecution, nameOf(e.arn))
	}
	if err != nil {
		return fmt.Errorf("read execution %s (needs states:DescribeExecution): %w", nameOf(e.arn), err)
	}
	e.status, e.began, e.stopped = out.Status, aws.ToTime(out.StartDate), out.StopDate
	e.input, e.output = aws.ToString(out.Input), aws.ToString(out.Output)
	e.failure = strings.TrimSuffix(aws.ToString(out.Error)+": "+aws.ToString(out.Cause), ": ")
	if e.unread == nil {
		if e.unread = m.lookInside(ctx, e); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// lookInside reads the map runs of an execution, and results of their children.
func (m machine) lookInside(ctx context.Context, e *execution) error {
	pages := sfn.NewListMapRunsPaginator(m.client, &sfn.ListMapRunsInput{ExecutionArn: aws.String(e.arn)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("needs states:ListMapRuns: %w", err)
		}
		for _, run := range page.MapRuns {
			if arn := aws.ToString(run.MapRunArn); !slices.ContainsFunc(e.rounds, func(r *round) bool { return r.arn == arn }) {
				e.rounds = append(e.rounds, &round{arn: arn, began: aws.ToTime(run.StartDate), read: map[string]bool{}})
			}
		}
	}
	slices.SortFunc(e.rounds, func(a, b *round) int { return a.began.Compare(b.began) })
	most := mostResults
	for _, r := range e.rounds {
		if r.over && len(r.read) >= r.done() {
			continue
		}
		run, err := m.client.DescribeMapRun(ctx, &sfn.DescribeMapRunInput{MapRunArn: aws.String(r.arn)})
		if err != nil {
			return fmt.Errorf("needs states:DescribeMapRun: %w", err)
		}
		if n := run.ItemCounts; n != nil {
			r.total, r.running, r.succeeded, r.ended = int(n.Total), int(n.Running), int(n.Succeeded), int(n.Failed+n.TimedOut+n.Aborted)
		}
		r.over = run.StopDate != nil
		if most, err = m.results(ctx, e, r, most); err != nil {
			return err
		}
	}
	return nil
}

// results reads results of a round that it has not read yet, but for those that are too many
// for now, and returns how many more may be read. An Express child may be listed and described,
// because a map run has started it. Source: AWS Step Functions API Reference, ListExecutions and
// DescribeExecution, documented.
func (m machine) results(ctx context.Context, e *execution, r *round, most int) (left int, err error) {
	if len(r.read) >= r.done() {
		return most, nil
	}
	pages := sfn.NewListExecutionsPaginator(m.client, &sfn.ListExecutionsInput{MapRunArn: aws.String(r.arn), MaxResults: 1000})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return most, fmt.Errorf("needs states:ListExecutions: %w", err)
		}
		for _, child := range page.Executions {
			arn := aws.ToString(child.ExecutionArn)
			if child.Status == types.ExecutionStatusRunning || r.read[arn] {
				continue
			}
			if e.running() && most == 0 {
				return 0, nil
			}
			out, err := m.client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: child.ExecutionArn})
			if err != nil {
				return most, fmt.Errorf("needs states:DescribeExecution of the executions of a map run: %w", err)
			}
			most = max(0, most-1)
			r.read[arn] = true
			e.add(out)
		}
	}
	return most, nil
}

// add adds the result of one cell.
func (e *execution) add(child *sfn.DescribeExecutionOutput) {
	var in struct{ Cell app.Cell }
	_ = json.Unmarshal([]byte(aws.ToString(child.Input)), &in) // without it, the execution itself says what the account came to
	account := in.Cell.Account
	if account == "" {
		return
	}
	var s app.Swept
	if err := json.Unmarshal([]byte(aws.ToString(child.Output)), &s); err != nil || child.Status != types.ExecutionStatusSucceeded {
		e.failed[account] = app.Unswept{Account: account, Error: app.Reason(string(child.Status), aws.ToString(child.Error), aws.ToString(child.Cause))}
		return
	}
	if earlier, known := e.accounts[account]; known {
		s = earlier.And(s)
	}
	e.accounts[account] = s
}

// An organizationSweep is what an execution came to, as JSON.
type organizationSweep struct {
	Execution  string        `json:"execution,omitempty"` // none of a sweep from this terminal
	Account    string        `json:"account"`             // the hub
	Status     string        `json:"status"`
	Mode       string        `json:"mode"`
	Began      time.Time     `json:"began"`
	Ended      *time.Time    `json:"ended,omitempty"`
	Accounts   []app.Swept   `json:"accounts"`             // the hub first; the reports are those of what is not healthy
	Unswept    []app.Unswept `json:"unswept"`              // what could not be swept to its end
	Outside    int           `json:"outside"`              // accounts that are not guarded
	Suspended  int           `json:"suspended,omitempty"`  // accounts that are suspended or closed, and skipped
	Failed     string        `json:"failed,omitempty"`     // why the accounts could not be listed or swept
	Unreported string        `json:"unreported,omitempty"` // why there are no reports
	Healthy    int           `json:"healthy"`
	Repaired   int           `json:"repaired"`
	Planned    int           `json:"planned"`
	Unrestored int           `json:"unrestored"`
	Findings   int           `json:"findings"`
}

// result returns what an execution came to, given the account of the hub. What the execution
// itself says counts, with the reports of the children that could be read. It is what is known so
// far if the execution runs.
func (e *execution) result(hub string) (organizationSweep, error) {
	o := organizationSweep{
		Execution: nameOf(e.arn), Account: hub, Status: string(e.status), Mode: e.mode(), Began: e.began.UTC(), Ended: e.stopped, Accounts: []app.Swept{}, Unswept: []app.Unswept{},
	}
	if o.Ended != nil {
		o.Ended = aws.Time(o.Ended.UTC())
	}
	if e.unread != nil {
		o.Unreported = e.unread.Error()
	}
	var sum app.Gathered
	if e.status == types.ExecutionStatusSucceeded {
		if err := json.Unmarshal([]byte(e.output), &sum); err != nil {
			return o, fmt.Errorf("read what execution %s came to: %w", o.Execution, err)
		}
		o.Unswept, o.Failed, o.Outside = append(o.Unswept, sum.Unswept...), sum.Failed, sum.Outside
		o.Suspended = sum.Suspended
		for i, u := range o.Unswept { // the sum has room for the beginning of a reason only
			if whole, read := e.failed[u.Account]; read {
				o.Unswept[i] = whole
			}
		}
		if sum.Hub != "" {
			o.Unswept = slices.Insert(o.Unswept, 0, app.Unswept{Account: hub, Error: sum.Hub})
		}
	} else {
		if o.Failed = e.failure; o.Failed == "" && e.status != "" { // whoever stops an execution need not say why
			o.Failed = "the execution is " + string(e.status) + ", and Step Functions gives no reason: start another one"
		}
		for _, id := range slices.Sorted(maps.Keys(e.failed)) {
			o.Unswept = append(o.Unswept, e.failed[id])
		}
	}
	rows := map[string]app.Swept{}
	for _, s := range sum.Swept {
		rows[s.Account] = s
	}
	for id, s := range e.accounts {
		if s.Outside != "" {
			if e.status != types.ExecutionStatusSucceeded {
				o.Outside++
			}
			continue
		}
		rows[id] = s
	}
	if sum.Own != nil {
		rows[hub] = *sum.Own
	}
	for _, s := range rows {
		o.Accounts = append(o.Accounts, s)
		o.Healthy += s.Healthy
		o.Repaired += s.Repaired
		o.Planned += s.Planned
		o.Unrestored += s.Unrestored
		o.Findings += s.Findings
	}
	slices.SortFunc(o.Accounts, func(a, b app.Swept) int {
		if a.Account == hub || b.Account == hub {
			return cmp.Compare(map[bool]int{true: 0, false: 1}[a.Account == hub], map[bool]int{true: 0, false: 1}[b.Account == hub])
		}
		return cmp.Compare(a.Account, b.Account)
	})
	return o, nil
}

// mode returns what an execution was asked to do.
func (e *execution) mode() string {
	var in struct{ Mode string }
	_ = json.Unmarshal([]byte(e.input), &in) // what is no JSON asks for nothing in particular
	return cmp.Or(in.Mode, "repair")
}
