// Package app wires relight together for the functions and the CLI: it turns
// batches into scopes, runs each scope, and returns failed messages to the
// queue.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/report"
	"github.com/relight-aws/relight/internal/version"
)

// Options are the parts from which NewWith makes an App.
type Options struct {
	Function    catalog.Function
	Config      config.Config
	Deployment  catalog.Deployment
	Kinds       []awsio.Kind // that the function serves; those that it lacks, it does not link
	AWS         aws.Config
	Pace        *awsio.Pace // nil for none
	Log         *slog.Logger
	Now         func() time.Time
	Silent      bool // send no notifications, because the caller sees the answer
	HandOver    bool // invoke the kinds' own functions for repairs that only they may make
	ChecksGuard bool // after events, have another function check relight's own stack
	Spokes      bool // act in the accounts that the configuration has this deployment guard, too
	Yields      bool // a sweep first waits whether runs for events are restoring the same

	Enters string // the name of the role by which to act in those accounts; "" for relight's own, which admits the functions of the hub alone

	Pruner remedy.Applier // takes away what the configuration no longer wants; nil in a function
}

// An App handles the invocations of one function.
type App struct {
	function   catalog.Function
	config     config.Config
	baseline   catalog.Baseline
	deployment catalog.Deployment
	cloud      *awsio.Cloud      // of the deployment's own account
	reconciler remedy.Reconciler // likewise
	pruner     remedy.Applier
	reporter   report.Reporter
	log        *slog.Logger
	now        func() time.Time

	handsOver bool
	spokes    bool
	enters    string
	membersMu sync.Mutex
	members   map[string]*parts // by account, the deployment's own among them

	memberships map[string]membership // by account, of those about which units decide
	left        []string              // guarded accounts that the last sweep had no time for

	yields       bool
	checksGuard  bool
	guardChecked time.Time // when this process last had the guard check

	found map[string]bool // findings about the sweep's function of which this process has notified people

	id        string               // of this process among those of the function
	peers     map[string]time.Time // when this process last got what another one put off, by its id
	passed    bool                 // this batch has passed a message to another process
	backlogs  backlogs
	busyUntil time.Time // when this process last ended a batch that took long, and had seen no event meanwhile
	lastBatch time.Time // when this process last got events of calls that others made

	earlyMu sync.Mutex
	early   recent // events that people were notified of before their run was over, by ID and kind
}

// NewWith returns an App made from the given parts.
func NewWith(o Options) *App {
	want := o.Config.Desired(o.Deployment)
	cloud := &awsio.Cloud{Config: o.AWS, Want: want, Kinds: o.Kinds, Pace: o.Pace, Now: o.Now}
	reporter := report.Reporter{Log: o.Log, Publisher: cloud, Topic: want.Topic, TopicKey: want.TopicKey, Last: want.LastResort, Far: want.FarTopic, Now: o.Now, Function: want.FunctionName(o.Function), Version: version.String(), Chat: o.Config.Chat(), Minimum: o.Config.Minimum(), Filters: o.Config.Filters()}
	for _, row := range want.OwnAlarms() {
		reporter.Alarms = append(reporter.Alarms, want.Name(row.ID))
	}
	if o.Silent {
		reporter.Topic = ""
	}
	a := &App{
		function:    o.Function,
		config:      o.Config,
		baseline:    want.Baseline,
		deployment:  o.Deployment,
		cloud:       cloud,
		pruner:      o.Pruner,
		reporter:    reporter,
		log:         o.Log,
		now:         o.Now,
		handsOver:   o.HandOver,
		spokes:      o.Spokes,
		enters:      o.Enters,
		yields:      o.Yields,
		checksGuard: o.ChecksGuard,
		id:          rand.Text(),
		peers:       map[string]time.Time{},
		backlogs:    backlogs{},
	}
	a.reporter.Own = a.ownWrite
	own := a.with(cloud)
	a.reconciler, a.members = own.reconciler, map[string]*parts{o.Deployment.Account: own}
	a.memberships = map[string]membership{}
	return a
}

// Load returns the options of a deployed function. It reads the configuration from
// beside the function's binary and the stack's ARNs from the environment. Its
// error lists every problem.
func Load(f catalog.Function) (Options, error) {
	exe, err := os.Executable()
	if err != nil {
		return Options{}, fmt.Errorf("find own binary: %w", err)
	}
	cfg, configErr := config.Load(filepath.Join(filepath.Dir(exe), catalog.ConfigFile))
	if configErr == nil {
		if cfg, configErr = cfg.With(os.Getenv(catalog.EnvConfig)); configErr != nil {
			configErr = fmt.Errorf("the stack's parameter %s: %w", catalog.ParamConfig, configErr)
		}
	}
	deployment, envErr := config.DeploymentFromEnv(os.Getenv)
	clients, awsErr := settings()
	return Options{
		Function: f, Config: cfg, Deployment: deployment,
		AWS: clients, Pace: &awsio.Pace{Patient: f == catalog.Backfill},
		Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("version", version.String()), Now: time.Now, HandOver: f == catalog.Backfill, Spokes: true, Yields: f == catalog.Backfill, ChecksGuard: f.ChecksGuard(),
	}, errors.Join(configErr, envErr, awsErr)
}

// New returns the App of a deployed function that serves the kinds.
func New(f catalog.Function, kinds ...awsio.Kind) (*App, error) {
	o, err := Load(f)
	if err != nil {
		return nil, err
	}
	o.Kinds = kinds
	return NewWith(o), nil
}

// handles returns why this function does not handle a scope. It returns "" if it does. Asked says
// that the account is in scope if the lists of accounts do not decide about it.
func (a *App) handles(s remedy.Scope, asked bool) string {
	switch why := a.outside(s, asked); {
	case !slices.Contains(a.function.Kinds(), s.Kind):
		return "function " + string(a.function) + " does not serve " + string(s.Kind)
	case why != "":
		return why
	case !a.baseline.Covers(s.Kind, a.deployment.HomeRegion, s.Region):
		return string(s.Kind) + " are protected in " + a.deployment.HomeRegion + " only"
	case a.config.Mode(s.Kind) == catalog.Off:
		return string(s.Kind) + " are switched off"
	}
	return ""
}

// run brings one scope to its desired state, records the run and notifies people, if
// events caused it. A sweep's run has no cause, and the sweep records it and sends one notification
// about all of its runs. run returns the report, and an error if anything
// failed or the notification could not be sent.
func (a *App) run(ctx context.Context, limit time.Duration, with remedy.Reconciler, s remedy.Scope, mode catalog.Mode, causes ...remedy.Cause) (remedy.Report, error) {
	rep := a.check(ctx, limit, with, s, mode, causes...)
	return rep, errors.Join(rep.Failures(), a.report(ctx, rep))
}

// report records a run and notifies people of it, if events caused it. It returns why
// they could not be.
func (a *App) report(ctx context.Context, rep remedy.Report) error {
	var unsent error
	if len(rep.Causes) > 0 {
		unsent = a.notifyOf(ctx, rep)
	}
	a.reporter.Record(ctx, rep, unsent, a.now())
	return unsent
}

// check brings one scope to its desired state, as far as the kind's configured mode allows.
// It gives the run up after the limit.
func (a *App) check(ctx context.Context, limit time.Duration, with remedy.Reconciler, s remedy.Scope, mode catalog.Mode, causes ...remedy.Cause) remedy.Report {
	if configured := a.config.Mode(s.Kind); configured != catalog.Repair {
		mode = configured
	}
	if (s.Kind == catalog.Topics || s.Kind == catalog.Guard) && !a.echoed(causes) {
		with.Applier = a.of(s.Account).cloud // the way to people has no brake, nor has what relight consists of
	}
	ctx, calls := awsio.Counting(ctx)
	rep := a.patiently(ctx, limit, remedy.Report{Scope: s, Mode: mode, Causes: causes}, func(ctx context.Context) remedy.Report {
		if len(causes) > 0 {
			if with.Yield = a.yield(ctx, causes); ctx.Value(leadKey{}) == nil {
				with.Yield = a.sharing(causes, with.Yield)
			}
		}
		return a.lookAgain(ctx, with, with.Run(ctx, s, mode, causes...))
	})
	closed(&rep)
	rep.Again, rep.Calls = a.comesAgain(rep), int(calls.Load())
	return rep
}

// part returns what leaves to others what they are about to restore. If more filters are
// missing than a run's calls have taken, further calls have taken the others, and their events
// lead to runs that are at work at the same time. Each restores its own; what then is still
// missing is checked once more later. What only CloudWatch's own events led to is left to the
// runs for the records of the calls altogether.
func (a *App) part(causes []remedy.Cause) func([]plan.Action) []plan.Action {
	if !a.defers() {
		return nil
	}
	called := func(c remedy.Cause) bool { return !a.followsWrite(c) }
	unnamed := func(c remedy.Cause) bool { return c.Actor == "" }
	if !slices.ContainsFunc(causes, called) && slices.ContainsFunc(causes, unnamed) {
		return func([]plan.Action) []plan.Action { return nil }
	}
	var own []string
	for _, c := range causes {
		if c.Parts == "" {
			return nil
		}
		own = append(own, c.Parts.List()...)
	}
	return func(todo []plan.Action) []plan.Action {
		others := func(act plan.Action) bool {
			put, filter := act.(plan.PutFilter)
			return filter && !slices.Contains(own, put.Filter.Name)
		}
		left := slices.DeleteFunc(slices.Clone(todo), others)
		if slowWrites(left) == 0 {
			return todo
		}
		if len(left) < len(todo) { // the others are restored meanwhile
			a.cloud.Pace.Share(min(max(0.5, float64(slowWrites(left))/float64(slowWrites(todo))), mostPart))
		}
		return left
	}
}

// mostPart is the most of relight's share of a quota that a run uses whose rest another one
// restores meanwhile, with half of it: together they use no more than all of the quota.
const mostPart = 0.75

// sharing has a run use half of relight's share of a quota if it has more to restore than
// its own calls can have changed: then another process is likely to be at the same.
func (a *App) sharing(causes []remedy.Cause, yield func(context.Context, int, []plan.Action) bool) func(context.Context, int, []plan.Action) bool {
	return func(ctx context.Context, looks int, todo []plan.Action) bool {
		if !slices.ContainsFunc(causes, func(c remedy.Cause) bool { return catalog.ChangesMany(c.EventName) || c.Names == "" }) && slowWrites(todo) > len(causes) {
			a.cloud.Pace.Share(0.5)
		}
		return yield != nil && yield(ctx, looks, todo)
	}
}

// yield returns how a run for events gives way to others that restore the same: that of an
// echo to the run that caused it, and one for what was put off, which more than one process
// may have done.
func (a *App) yield(ctx context.Context, causes []remedy.Cause) func(context.Context, int, []plan.Action) bool {
	lag, gives := lagOf(ctx)
	switch {
	case a.echoed(causes):
		return giveWay
	case gives && lag == 0: // the other one is at work
		return yieldTo(1, lag, func() { a.cloud.Pace.Share(1) })
	case gives:
		return yieldTo(manyWrites, lag, func() {})
	}
	return nil
}
