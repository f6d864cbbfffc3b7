package app

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/trigger"
)

// parts are what an App acts with in one account. What it knows and how it notifies people
// is the same for all accounts.
type parts struct {
	cloud      *awsio.Cloud
	reconciler remedy.Reconciler

	closed time.Time // when people were last notified that the account lets relight not in
}

// guarded reports whether the account is another one than the deployment's own.
func (p *parts) guarded() bool { return p.cloud.Hub != nil }

// created returns when what lets relight in was created: its stack, or the role in a guarded
// account.
func (p *parts) created(ctx context.Context) (time.Time, error) {
	want := p.cloud.Want
	if p.guarded() {
		return p.cloud.RoleCreated(ctx, want.Organization.Role)
	}
	return p.cloud.StackCreated(ctx, want.HomeRegion)
}

// with returns the parts for a cloud.
func (a *App) with(cloud *awsio.Cloud) *parts {
	var applier remedy.Applier = cloud
	if a.function != catalog.Backfill { // the sweep runs too rarely to need a brake
		applier = &brake{Applier: cloud, now: a.now, writes: map[string][]time.Time{}, told: map[string]time.Time{}}
	}
	if a.handsOver {
		applier = handOver{applier, a.cloud}
	}
	p := &parts{cloud: cloud, reconciler: remedy.Reconciler{Observer: cloud, Applier: applier, Want: cloud.Want, Forgets: !a.cloud.Want.Sweeps(), Now: a.now}}
	p.reconciler.Adopted = func(ctx context.Context) (plan.Adopted, error) {
		adopted, err := cloud.RecallAdopted(ctx, a.deployment.HomeRegion)
		adopted.Pending = nil // functions that events start adopt nothing
		return adopted, err
	}
	if cloud.Want.Has(catalog.KeyPause) {
		p.reconciler.Paused = a.paused
	}
	return p
}

// of returns the parts for an account that this function acts in. It makes those of a
// guarded account once, and no call before they are used.
func (a *App) of(account string) *parts {
	a.membersMu.Lock()
	defer a.membersMu.Unlock()
	if p := a.members[account]; p != nil {
		return p
	}
	hub, org := a.cloud, a.baseline.Organization
	want := hub.Want.Guarded(account)
	session := awsio.Session{Role: want.Role, Name: want.FunctionName(a.function), Function: a.function, ExternalID: org.ExternalID, Run: invocation}
	if a.enters != "" {
		session = awsio.Session{Role: want.ARNIn("", "iam", "role/"+a.enters), Name: session.Name}
	}
	p := a.with(&awsio.Cloud{
		Config: hub.Assume(session),
		Want:   want, Kinds: hub.Kinds, Pace: hub.Pace, Now: hub.Now, Hub: hub,
	})
	a.members[account] = p
	return p
}

// invocation returns the ID that Lambda gave to this invocation, or "" outside of Lambda.
func invocation(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.AwsRequestID
	}
	return ""
}

// outside returns why this function does not act in the account of a scope. It returns ""
// if it does.
//
// The account of an event is the one that EventBridge says sent it, which nobody in it can
// choose. No event says which organisational units the account is in: whoever asks says whether
// these have the account guarded, if the lists of accounts do not decide. For events, byUnits says it.
func (a *App) outside(s remedy.Scope, asked bool) string {
	org := a.baseline.Organization
	switch in, known := org.Lists(s.Account); {
	case s.Account == a.deployment.Account:
		return ""
	case !a.spokes || !org.On():
		return "account " + s.Account + " is not this deployment's"
	case a.deployment.Account != org.Hub:
		return "account " + s.Account + " is guarded from " + org.Hub + ", as organization.hubAccount says, and this deployment is in " + a.deployment.Account
	case !known && !asked:
		return "no sweep has found account " + s.Account + " in the units that organization names"
	case known && !in:
		return "account " + s.Account + " is not guarded, as organization says"
	}
	if !s.Kind.InSpokes() {
		return string(s.Kind) + " are restored in this deployment's own account only, so far"
	}
	return ""
}

// deploying returns why an event about what a guarded account has of relight's waits for the
// sweep, or "": CloudFormation makes or deletes the parts of a stack one by one, and a part
// that relight makes meanwhile is in its way. At home, the stack itself says whether it changes.
func (a *App) deploying(ev trigger.Event, s remedy.Scope) string {
	if s.Account == a.deployment.Account || s.Kind != catalog.Guard || !ev.Deploy {
		return ""
	}
	return "CloudFormation made the call, and the next sweep checks what it has left"
}

// notifyOf notifies people of a run that events caused. It does not if they know that the
// account lets relight not in, and the run says no more: whoever has taken over the account
// may make one call after the other there.
func (a *App) notifyOf(ctx context.Context, rep remedy.Report) error {
	_, _, shut := awsio.Closed(rep.Failures())
	if shut = shut && len(rep.Notices()) == 0; !shut {
		return a.reporter.Notify(ctx, nil, rep)
	}
	p, now := a.of(rep.Scope.Account), a.now()
	if !p.closed.IsZero() && now.Sub(p.closed) < fightWindow {
		return nil
	}
	err := a.reporter.Notify(ctx, nil, rep)
	if err == nil {
		p.closed = now
	}
	return err
}

// closed adds a finding to the report of a run in an account that lets relight no longer in.
func closed(rep *remedy.Report) {
	if role, why, is := awsio.Closed(rep.Failures()); is {
		rep.Plan.Add(plan.NewFinding(plan.AccountClosed, plan.Args{"account": rep.Scope.Account, "role": role, "error": why}))
	}
}
