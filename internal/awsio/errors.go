package awsio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	smithy "github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// wrap gives an error of an AWS call its class and a hint. It returns nil for
// nil.
func wrap(op, target string, err error) error {
	if err == nil {
		return nil
	}
	return &remedy.Error{Op: op, Target: target, Class: classify(err), Hint: hintFor(op, target, codeOf(err)), Err: err}
}

// bare returns the *remedy.Error in an error of a client, which names the
// operation again. What leaves this package goes through here.
func bare(err error) error {
	if e, ok := errors.AsType[*remedy.Error](err); ok {
		return e
	}
	return err
}

func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// settled drops the error of creating what exists already. It need not be
// what was wanted, so the observation after the repair decides.
func settled(err error) error {
	if remedy.ClassOf(err) == remedy.Present {
		return nil
	}
	return err
}

// gone drops the error of removing what does not exist any more.
func gone(err error) error {
	if remedy.ClassOf(err) == remedy.Missing {
		return nil
	}
	return err
}

// again makes the error about a missing resource worth another run: the
// resource existed when the run read it, or the run has just created it.
func again(err error) error {
	if e, ok := errors.AsType[*remedy.Error](err); ok && e.Class == remedy.Missing {
		e.Class = remedy.Transient
	}
	return err
}

// partly marks the error of a creation that succeeded without a part.
func partly(err error) error {
	if e, ok := errors.AsType[*remedy.Error](err); ok {
		e.Partial = true
	}
	return err
}

// notDeployed is the error of an action that needs what only a deployment
// makes.
func notDeployed(op, target, what string) error {
	return &remedy.Error{
		Op: op, Target: target, Class: remedy.Terminal,
		Hint: "deploy relight first: make deploy", Err: fmt.Errorf("there is no %s", what),
	}
}

// unread returns the finding that something cannot be read which no repair
// needs, for an error that stays. It returns any other error. The finding leaves
// out the request's ID, which would make it a new finding each time.
func unread(code plan.Code, values plan.Args, err error) ([]plan.Finding, error) {
	e, ok := errors.AsType[*remedy.Error](err)
	if !ok || e.Class.Retry() {
		return nil, err
	}
	why := e.Err.Error()
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		why = api.ErrorCode() + ": " + api.ErrorMessage()
	}
	values["error"], values["hint"] = e.Op+": "+why, cmp.Or(e.Hint, "the error code says why the call fails")
	return []plan.Finding{plan.NewFinding(code, values)}, nil
}

// pause waits, unless the Cloud does not pace its calls.
func (c *Cloud) pause(ctx context.Context, d time.Duration) error {
	if c.Pace == nil {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
