package lab

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
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// An Attack harms the account as a person or a script would, through ordinary
// AWS clients.
type Attack struct {
	Name      string // the call and its variant: "logs DeleteLogGroup, the trail's"
	Account   string // the guarded account that it harms; "" for the lab's own
	Region    string
	Technique string // ID in MITRE ATT&CK; "" if the attack is no intrusion

	// Calls are the calls of the attack, in order. Do makes the calls that data
	// cannot express: it changes what it reads, or reacts to what relight does.
	Calls []Call
	Do    doer

	// After, if set, turns a snapshot from before the attack into the desired
	// state after it: a new VPC stays, and gets a flow log.
	After aftermath

	// Reported marks an attack that only a person can undo: relight has to
	// report who made the call and what to do. Undo lists the calls that undo
	// the attack, if it leaves anything behind. The account's root user makes
	// them.
	Reported bool
	Undo     []Call

	// Cut marks an attack on what connects a guarded account with the hub. Swept marks one
	// after which no event of the account reaches the hub: a sweep has to notice it. If it
	// has to be reported, Findings are the codes of the findings of which the message has one,
	// and what undoes it may read what was there before the attack: "${spoke-grants-before}".
	Cut      bool
	Swept    bool
	Findings []string

	// Unseen marks an attack that breaks nothing that the outside check reads:
	// on relight itself, beside what a stranger made, or one that an owner may
	// carry out legitimately. Its harm shows in the snapshots alone.
	Unseen bool
}

type (
	doer      = func(context.Context, *Session, Target) error
	aftermath = func(context.Context, *Session, Target, Snapshot) error
)

// heals returns an attack that relight has to heal.
func heals(name, region, technique string, calls ...Call) Attack {
	return Attack{Name: name, Region: region, Technique: technique, Calls: calls}
}

// reports returns an attack that relight has to report.
func reports(name, region, technique string, calls ...Call) Attack {
	return Attack{Name: name, Region: region, Technique: technique, Calls: calls, Reported: true}
}

func (at Attack) by(do doer) Attack             { at.Do = do; return at }
func (at Attack) leaves(what aftermath) Attack  { at.After = what; return at }
func (at Attack) undoneBy(calls ...Call) Attack { at.Undo = calls; return at }
func (at Attack) unseen() Attack                { at.Unseen = true; return at }
func (at Attack) found(codes ...string) Attack  { at.Findings = codes; return at }
func (at Attack) swept() Attack                 { at.Swept = true; return at }

// Client returns the AWS client of the call that the attack is named after.
func (at Attack) Client() string {
	if len(at.Calls) > 0 {
		return at.Calls[len(at.Calls)-1].Client
	}
	return goSDK
}

// CarryOut makes the attack's calls.
func (at Attack) CarryOut(ctx context.Context, s *Session, t Target) error {
	if at.Do != nil {
		return at.Do(ctx, s, t)
	}
	return s.Make(ctx, t, at.Calls...)
}

// call returns the name of the call that the attack is named after.
func (at Attack) call() string {
	words := strings.Fields(at.Name)
	return strings.TrimSuffix(words[min(1, len(words)-1)], ",")
}

// A Heal is the result of an attack.
type Heal struct {
	Attack    string        `json:"attack"`
	Client    string        `json:"client"`
	Account   string        `json:"account,omitempty"` // a guarded one
	Region    string        `json:"region"`
	Technique string        `json:"technique,omitempty"`
	Restored  []string      `json:"restored"` // the restoring writes, as "CreateFlowLogs ×3"
	Took      time.Duration `json:"-"`        // from the attack's first call to the last restoring write
	Millis    int64         `json:"ms"`
	Healed    bool          `json:"healed"`
	Reported  bool          `json:"reported,omitempty"` // a notification named who made the call and what to do
	Why       string        `json:"why,omitempty"`      // why the attack was not healed or reported
	Since     time.Time     `json:"-"`                  // when the attack began
}

// healTimeout limits the wait for one heal.
const healTimeout = 30 * time.Second

// reportTimeout limits the wait for a notification. In a storm, relight puts one off for up
// to 80 s; on a busy machine, attacks one after the other may be one.
const reportTimeout = 90 * time.Second

// quiet is how long functions must make no calls before a heal counts as
// finished. It is longer than the gap between the slowest writes, 2.4 alarms a
// second.
const quiet = 700 * time.Millisecond

// An Arena is a lab with a customer and a deployment, ready to be attacked.
type Arena struct {
	Cloud      *Cloud
	Customer   *Customer
	Deployment *Deployment
	Prefix     string

	Spokes        []*Spoke // the guarded accounts
	SpokeTemplate string   // the template that they have, if there are any

	// Meanwhile, if set, is called between each attack and its heal.
	Meanwhile func(context.Context, Attack) error
}

// Attack carries out one attack as the account's intruder and waits until the
// account is as it was before. The attack counts as healed only if functions
// that events start restored something; what the sweep restored does not count,
// unless the attack keeps all events from the hub.
// An attack that has to be reported counts as reported if a notification names
// it.
func (a *Arena) Attack(ctx context.Context, at Attack) (heal Heal, err error) {
	heal = Heal{Attack: at.Name, Client: at.Client(), Account: at.Account, Region: at.Region, Technique: at.Technique}
	if _, err := a.Customer.Mail(ctx, a.Cloud.Root()); err != nil { // of earlier attacks
		return heal, err
	}
	who, err := a.account(at.Account)
	if err != nil {
		return heal, err
	}
	want, err := who.snapshot(ctx)
	if err != nil {
		return heal, fmt.Errorf("read the account before the attack: %w", err)
	}
	intruder, root, target := who.Intruder.In(at.Region), who.root.In(at.Region), a.target(who, at.Region)
	if err := target.remember(ctx, root, at.Undo); err != nil {
		return heal, fmt.Errorf("read what undoes the attack: %w", err)
	}
	heal.Since = time.Now()
	if err := at.CarryOut(ctx, intruder, target); err != nil {
		heal.Why = "the attack failed: " + err.Error()
		return heal, nil //nolint:nilerr // an attack that fails is not healed, and the next one goes on
	}
	if at.After != nil {
		if err := at.After(ctx, root, target, want); err != nil {
			return heal, fmt.Errorf("read what %s left behind: %w", at.Name, err)
		}
	}
	if a.Meanwhile != nil {
		if err := a.Meanwhile(ctx, at); err != nil {
			return heal, err
		}
	}
	if at.Swept {
		if err := a.sweep(ctx, at.Account); err != nil {
			return heal, err
		}
	}
	if at.Reported {
		if err := a.waitForReport(ctx, at, &heal); err != nil {
			return heal, err
		}
		if err := root.Make(ctx, target, at.Undo...); err != nil {
			return heal, fmt.Errorf("undo %s: %w", at.Name, err)
		}
	}
	diff, err := a.waitFor(ctx, who, want)
	if err != nil {
		return heal, err
	}
	if err := a.Settle(ctx); err != nil {
		return heal, err
	}
	defer func() { err = errors.Join(err, a.Cloud.ConfirmSubscriptions(ctx)) }() // as the owners of the mailboxes would
	if !at.Reported {
		a.judge(&heal, at, diff)
	} else if len(diff) > 0 {
		heal.Reported, heal.Why = false, "left behind: "+strings.Join(diff, "; ")
	}
	return heal, nil
}

// waitForReport waits for a notification about an attack.
func (a *Arena) waitForReport(ctx context.Context, at Attack, heal *Heal) error {
	timeout := time.After(reportTimeout)
	for {
		mail, err := a.Customer.Mail(ctx, a.Cloud.Root())
		if err != nil {
			return err
		}
		if slices.ContainsFunc(mail, at.reportedBy) {
			heal.Reported, heal.Took = true, time.Since(heal.Since)
			heal.Millis = heal.Took.Milliseconds()
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout:
			heal.Why = "no notification said " + at.report()
			return nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// report returns what a notification about the attack has to say.
func (at Attack) report() string {
	switch {
	case at.Findings == nil:
		return "who made the call and what to do"
	case at.Swept:
		return strings.Join(at.Findings, " or ") + ", the account and what to do"
	}
	return strings.Join(at.Findings, " or ") + ", the account, who made the call and what to do"
}

// reportedBy reports whether a message is the one that the attack has to lead to. What only a
// sweep notices has no caller.
func (at Attack) reportedBy(m Message) bool {
	if at.Findings == nil {
		return m.Document.Account == cmp.Or(at.Account, Account) && m.names(at.call(), ":user/"+intruder)
	}
	return m.found(at.Account, at.Findings...) && (at.Swept || m.names(at.call(), ":user/"+intruder))
}

// OnlySweep says that a sweep was first to write after an attack. If its schedule just
// came then, another try shows whether events lead to a repair.
const OnlySweep = "only the sweep restored it"

// judge records whether the account is healed and who healed it. Nothing may be written in
// another guarded account.
func (a *Arena) judge(heal *Heal, at Attack, diff []string) {
	writes := a.Cloud.Tap.Calls(func(c tap.Call) bool {
		return c.Write && c.ErrorCode == "" && c.Undone == "" && !c.Time.Before(heal.Since)
	})
	var first, last time.Time
	counts := map[string]int{}
	swept, elsewhere := false, ""
	for _, c := range writes {
		f, ours := a.Deployment.By(c.Role, c.Principal)
		switch {
		case ours && spokeOf(c.Account) != at.Account:
			elsewhere = cmp.Or(elsewhere, spokeOf(c.Account))
		case ours && (f.Events || at.Swept):
			counts[c.Operation]++
			last = c.Time.Add(c.Took)
		case ours:
			swept = true
		case first.IsZero():
			first = c.Time
		}
	}
	for _, op := range slices.Sorted(maps.Keys(counts)) {
		heal.Restored = append(heal.Restored, fmt.Sprintf("%s ×%d", op, counts[op]))
	}
	switch {
	case len(diff) > 0:
		heal.Why = strings.Join(diff, "; ")
	case elsewhere != "":
		heal.Why = "functions wrote in account " + elsewhere
	case swept:
		heal.Why = OnlySweep
	case len(counts) == 0:
		heal.Why = "nothing was restored, because the attack harmed nothing"
	default:
		heal.Healed = true
		heal.Took = last.Sub(first)
		heal.Millis = heal.Took.Milliseconds()
	}
}

// waitFor waits until the account matches the desired state. It returns the
// remaining differences if the time runs out.
func (a *Arena) waitFor(ctx context.Context, who place, want Snapshot) ([]string, error) {
	wake := make(chan struct{}, 1)
	defer a.Cloud.Tap.OnCall(func(c tap.Call) {
		if _, ours := a.Deployment.By(c.Role, c.Principal); ours && c.Write {
			select {
			case wake <- struct{}{}:
			default:
			}
		}
	})()
	timeout := time.After(healTimeout)
	for {
		got, err := who.snapshot(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the account after the attack: %w", err)
		}
		diff := got.Diff(want)
		if len(diff) == 0 {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return diff, ctx.Err()
		case <-timeout:
			return diff, nil
		case <-wake:
		case <-time.After(time.Second):
		}
	}
}

// Settle waits until every event is on its bus and no function has called AWS
// for a moment.
func (a *Arena) Settle(ctx context.Context) error {
	for {
		if err := a.Cloud.Tap.Flush(ctx); err != nil {
			return err
		}
		since := time.Now().Add(-quiet)
		busy := a.Cloud.Tap.Calls(func(c tap.Call) bool {
			_, ours := a.Deployment.By(c.Role, c.Principal)
			return ours && c.Time.After(since)
		})
		if len(busy) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(quiet / 4):
		}
	}
}

// Target returns what an attack can aim at in a region of the lab's own account.
func (a *Arena) Target(region string) Target { return a.target(a.home(), region) }

func (a *Arena) target(who place, region string) Target {
	return Target{
		Account: who.account, TrailLogGroup: who.TrailLogGroup, FlowLogLogGroup: a.Prefix + "-flow-logs",
		VPCs: who.VPCs[region], Subnets: who.Subnets[region], Interfaces: who.Interfaces[region], Prefix: a.Prefix,
	}
}

// A place is an account of the lab, with its root user.
type place struct {
	*Customer
	account  string
	root     Principal
	snapshot func(context.Context) (Snapshot, error)
}

// home returns the lab's own account.
func (a *Arena) home() place {
	root := a.Cloud.Root()
	return place{a.Customer, Account, root, func(ctx context.Context) (Snapshot, error) { return a.Customer.Snapshot(ctx, root) }}
}

// account returns a guarded account, or the lab's own for "".
func (a *Arena) account(id string) (place, error) {
	if id == "" {
		return a.home(), nil
	}
	for _, who := range a.Spokes {
		if who.Account == id {
			root := a.Cloud.RootOf(id)
			return place{&who.Customer, id, root, func(ctx context.Context) (Snapshot, error) { return who.Snapshot(ctx, root) }}, nil
		}
	}
	return place{}, fmt.Errorf("the lab does not guard account %s: it has one account", id)
}

// sweep has the function that sweeps look at a guarded account, as its schedule does with
// all accounts.
func (a *Arena) sweep(ctx context.Context, account string) error {
	raw, err := json.Marshal(map[string]string{"account": account})
	if err != nil {
		return err
	}
	out, err := a.Cloud.Root().In(Region).Lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(a.Prefix + "-" + string(catalog.Backfill)), Payload: raw})
	if err != nil {
		return fmt.Errorf("sweep account %s: %w", account, err)
	}
	if out.FunctionError != nil {
		return fmt.Errorf("sweep account %s: %s", account, out.Payload)
	}
	return nil
}

// likeOthers returns the flow logs that the region's VPCs, subnets or network interfaces
// have; sort is what their IDs begin with.
func likeOthers(s Snapshot, region, sort string) string {
	for _, k := range slices.Sorted(maps.Keys(s)) {
		if strings.HasPrefix(k, "flow-logs "+region+" "+sort+"-") && s[k] != noFlowLogs {
			return s[k]
		}
	}
	return "none of the region's has flow logs: " + sort
}
