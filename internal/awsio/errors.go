package awsio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
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

// bare returns the *remedy.Error inside a client's error, which repeats the
// operation. Every error that leaves this package passes through bare.
func bare(err error) error {
	if e, ok := errors.AsType[*remedy.Error](err); ok {
		return e
	}
	return err
}

// Refused returns the error of what a successful reply refuses, with its class and hint.
func Refused(op, target, code, message string) error {
	return wrap(op, target, &smithy.GenericAPIError{Code: code, Message: message})
}

func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// settled drops the error of creating what exists already. What exists need not
// match the desired state, so the observation after the repair decides.
func settled(err error) error {
	if remedy.ClassOf(err) == remedy.Present {
		return nil
	}
	return err
}

// gone drops the error of removing what no longer exists.
func gone(err error) error {
	if remedy.ClassOf(err) == remedy.Missing {
		return nil
	}
	return err
}

// again marks the error about a missing resource as worth another run: the
// resource existed when the run read it, or the run has just created it.
func again(err error) error {
	if e, ok := errors.AsType[*remedy.Error](err); ok && e.Class == remedy.Missing {
		e.Class = remedy.Transient
	}
	return err
}

// transient marks the refusal of a call as worth another run, which reads what is
// in the way.
func transient(err error) error {
	if e, ok := errors.AsType[*remedy.Error](err); ok {
		e.Class = remedy.Transient
	}
	return err
}

// partly marks the error of a creation that succeeded without one part.
func partly(err error) error {
	if e, ok := errors.AsType[*remedy.Error](err); ok {
		e.Partial = true
	}
	return err
}

// noting adds to an error what relight did about it.
func noting(err error, what string) error {
	if e, ok := errors.AsType[*remedy.Error](err); ok {
		e.Hint = strings.TrimPrefix(e.Hint+"; "+what, "; ")
	}
	return err
}

// notDeployed is the error of an action that needs a resource which only a
// deployment makes.
func notDeployed(op, target, what string) error {
	return &remedy.Error{
		Op: op, Target: target, Class: remedy.Terminal,
		Hint: "deploy relight first: make deploy", Err: fmt.Errorf("there is no %s", what),
	}
}

// lasting returns the text of a call's error without the request's ID. A finding
// with the ID would be a new finding each time.
func lasting(err error) string {
	e, isCall := errors.AsType[*remedy.Error](err)
	api, isAPI := errors.AsType[smithy.APIError](err)
	switch {
	case isCall && isAPI:
		return e.Op + ": " + api.ErrorCode() + ": " + api.ErrorMessage()
	case isCall:
		return e.Op + ": " + e.Err.Error()
	}
	return err.Error()
}

// unread returns a finding that relight cannot read something, if the error is
// permanent; no repair needs such a read. unread returns any other error
// unchanged.
func unread(code plan.Code, values plan.Args, err error) ([]plan.Finding, error) {
	e, ok := errors.AsType[*remedy.Error](err)
	if !ok || e.Class.Retry() {
		return nil, err
	}
	values["error"], values["hint"] = lasting(err), cmp.Or(e.Hint, "the error code says why the call fails")
	return []plan.Finding{plan.NewFinding(code, values)}, nil
}

// pause waits for d. It does not wait if the Cloud does not pace its calls.
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
