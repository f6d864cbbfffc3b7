// Package awsio is the edge to AWS: it observes, applies, classifies errors and
// paces calls. It alone converts SDK types into relight's own, once and in
// canonical form, so that desired and observed state can be compared.
package awsio

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// A Cloud is relight's access to AWS; it is remedy's Observer and Applier. It
// is safe for concurrent use.
type Cloud struct {
	Config aws.Config // credentials and transport; each call sets its own region
	Want   catalog.Desired
	Kinds  []Kind           // that it observes and applies; none if it only publishes or audits
	Pace   *Pace            // nil: calls are not paced
	Now    func() time.Time // nil if nobody asks how long an alarm has been in ALARM
	Hub    *Cloud           // has what relight remembers; nil if this is the one of the deployment's own account

	mu      sync.Mutex
	regions map[[2]string]*region // by account and name
	last    *Cloud                // with the topic of last resort
}

// A Kind reads the state of one kind and carries out the actions of its plans, also
// those on resources of other kinds. A function is given the kinds that it serves, so
// that it links the clients of no other. An applier returns the error of its call,
// through settled for a creation, again for a change and gone for a removal: see
// errors.go.
type Kind struct {
	Of       catalog.Kind
	observe  func(*region, context.Context, remedy.Scope) (plan.State, error)
	appliers []applier
	state    plan.State // nil, of the type that it observes
}

// AllKinds returns every kind.
func AllKinds() []Kind {
	return []Kind{DeliveryRoles(), FlowLogs(), Trails(), LogGroups(), Topics(), Alarms(), Guard()}
}

func kindOf[S plan.State](of catalog.Kind, observe func(*region, context.Context, remedy.Scope) (S, error), appliers ...applier) Kind {
	var state S
	return Kind{of, func(r *region, ctx context.Context, s remedy.Scope) (plan.State, error) {
		state, err := observe(r, ctx, s)
		if err != nil {
			return nil, err
		}
		return state, nil
	}, appliers, state}
}

// An applier carries out actions of one type and sets their outcomes' errors.
type applier struct {
	action reflect.Type
	apply  func(*region, context.Context, []*remedy.Outcome)
}

// each returns the applier for actions that need one call each.
func each[A plan.Action](apply func(*region, context.Context, A) error) applier {
	return together[A](func(r *region, ctx context.Context, outcomes []*remedy.Outcome) {
		for _, out := range outcomes {
			out.Err = apply(r, ctx, out.Action.(A))
		}
	})
}

// together returns the applier for actions of which one call takes many.
func together[A plan.Action](apply func(*region, context.Context, []*remedy.Outcome)) applier {
	return applier{reflect.TypeFor[A](), apply}
}

// Observe reads what a scope names. Any failed read is an error.
func (c *Cloud) Observe(ctx context.Context, s remedy.Scope) (plan.Observed, error) {
	got := plan.Observed{Account: s.Account, Region: s.Region, Type: s.Type, Asked: s.Names.List()}
	i := slices.IndexFunc(c.Kinds, func(k Kind) bool { return k.Of == s.Kind })
	if i < 0 {
		return got, fmt.Errorf("no observer for kind %q", s.Kind)
	}
	var err error
	got.State, err = c.Kinds[i].observe(c.in(s.Account, s.Region), hurried(ctx), s)
	return got, bare(err)
}

// Apply carries out a plan's actions in order and returns one outcome per
// action. It groups neighbouring actions of one type. An action fails if an
// earlier action failed to make what it needs.
func (c *Cloud) Apply(ctx context.Context, s remedy.Scope, actions []plan.Action) []remedy.Outcome {
	ctx = hurried(ctx)
	outcomes := make([]remedy.Outcome, len(actions))
	known := c.appliers(s.Kind)
	failed := map[string]error{} // by what a step makes: why the step failed to make it
	for i := 0; i < len(actions); {
		of := reflect.TypeOf(actions[i])
		var run []*remedy.Outcome
		for ; i < len(actions) && reflect.TypeOf(actions[i]) == of; i++ {
			out := &outcomes[i]
			out.Action = actions[i]
			if out.Err = failed[out.Action.Step().Needs]; out.Err == nil {
				run = append(run, out)
			}
		}
		a, ok := known[of]
		if ok {
			a.apply(c.in(s.Account, s.Region), ctx, run)
		}
		for _, out := range run {
			if out.Err = bare(out.Err); !ok {
				out.Err = fmt.Errorf("no applier for %s", of)
			}
			e, ok := errors.AsType[*remedy.Error](out.Err)
			partial := ok && e.Partial
			if made := out.Action.Step().Makes; made != "" && out.Err != nil && !partial {
				failed[made] = out.Err
			}
		}
	}
	return outcomes
}

// appliers returns the appliers of a kind, by the type of their actions.
func (c *Cloud) appliers(of catalog.Kind) map[reflect.Type]applier {
	known := map[reflect.Type]applier{}
	for _, k := range c.Kinds {
		if k.Of == of {
			for _, a := range k.appliers {
				known[a.action] = a
			}
		}
	}
	return known
}
