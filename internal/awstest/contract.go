package awstest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	smithy "github.com/aws/smithy-go"
)

// An Implementation is what Contract compares with AWS's documents.
type Implementation struct {
	Clients          // of Region
	Account   string // 12 digits
	Region    string
	Role      string // ARN of a role that delivers flow logs
	TrailRole string // ARN of a role that delivers a trail's events
	Bucket    string // a bucket that trails may write to
	LogBucket string // a bucket that flow logs may write to
	Function  string // ARN of a function without permissions
	Alias     string // of the function

	// Differs names the clauses that this implementation is known to break, and
	// what it does instead. A clause named here has to fail: if it passes, that
	// is an error too, so that the list stays true.
	Differs map[string]string
}

// Contract checks every clause against an implementation of AWS. It makes what
// it needs through the API, under its own names, and removes it.
func Contract(t *testing.T, c Implementation) {
	t.Helper()
	known := map[string]bool{}
	for _, cl := range clauses {
		known[cl.name] = true
		t.Run(strings.ReplaceAll(cl.name, " ", "-"), func(t *testing.T) {
			ctx := context.WithoutCancel(t.Context()) // still valid when the test cleans up
			p := &party{Implementation: c, ctx: ctx, t: t, id: "contract-" + strings.ToLower(rand.Text()[:8])}
			err := cl.check(p)
			differs, expected := c.Differs[cl.name]
			switch {
			case err != nil && !expected:
				t.Errorf("%v\nsource: %s", err, cl.source)
			case err == nil && expected:
				t.Errorf("the clause passes: remove it from the list of differences (%s)", differs)
			case err != nil:
				t.Logf("differs as listed (%s): %v; source: %s", differs, err, cl.source)
			}
		})
	}
	for name := range c.Differs {
		if !known[name] {
			t.Errorf("there is no clause %q to differ from", name)
		}
	}
}

// A clause is one fact about AWS that this project depends on.
type clause struct {
	name   string
	source string // the AWS document that is the authority
	grade  Grade  // how well the fact is known
	record string // of a Recorded clause: who recorded it and when
	belief string // of an Assumed clause: the ID of the belief that has its other way
	check  func(*party) error
}

// Clauses returns the clauses of the contract as beliefs, without what follows
// from an assumption.
func Clauses() []Belief {
	var all []Belief
	for _, c := range clauses {
		evidence := c.source
		if c.record != "" {
			evidence = c.record + "; " + evidence
		}
		b := Belief{ID: c.belief, Says: c.name, Grade: c.grade, Evidence: evidence, Decides: "internal/awstest/contract.go"}
		all = append(all, b)
	}
	return all
}

var clauses = func() []clause {
	var all []clause
	for _, some := range [][]clause{
		flowLogClauses, flowLogPlaceClauses, logGroupClauses, trailClauses, alarmClauses, quietAlarmClauses, topicClauses, subscriptionClauses, receiverClauses, roleClauses,
	} {
		all = append(all, some...)
	}
	return all
}()

// A party is the run of one clause.
type party struct {
	Implementation
	ctx context.Context
	t   *testing.T
	id  string // prefix of the names of everything the clause makes
}

// A pager is one of the SDK's paginators.
type pager[O, Options any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Options)) (*O, error)
}

// listed returns the items of all pages of a listing.
func listed[O, Options, T any](p *party, from pager[O, Options], items func(*O) []T) (all []T, pages int, err error) {
	for ; from.HasMorePages(); pages++ {
		out, err := from.NextPage(p.ctx)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, items(out)...)
	}
	return all, pages, nil
}

// later undoes at the end what a clause made; it may be gone by then.
func (p *party) later(undo func()) { p.t.Cleanup(undo) }

// refused returns an error unless err has one of the codes. If CloudWatch
// spells a modelled error differently in each protocol, either spelling is
// accepted.
func refused(what string, err error, codes ...string) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fmt.Errorf("%s: %w, want %v", what, orNil(err), codes)
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return nil
		}
	}
	return fmt.Errorf("%s: %s (%s), want %v", what, api.ErrorCode(), api.ErrorMessage(), codes)
}

var errNone = errors.New("no error")

func orNil(err error) error {
	if err == nil {
		return errNone
	}
	return err
}

// want returns an error unless got equals want, both compared as text.
func want(what string, got, wanted any) error {
	if g, w := fmt.Sprint(got), fmt.Sprint(wanted); g != w {
		return fmt.Errorf("%s: %s, want %s", what, g, w)
	}
	return nil
}
