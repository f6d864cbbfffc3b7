package remedy_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/relight-aws/relight/internal/remedy"
)

// hollow is an error around nothing, as some SDK errors are.
type hollow struct{}

func (hollow) Error() string { return "hollow" }
func (hollow) Unwrap() error { return nil }

// crowd is an error around several, none of which need be there.
type crowd []error

func (crowd) Error() string     { return "crowd" }
func (c crowd) Unwrap() []error { return c }

func failed(c remedy.Class) error {
	return &remedy.Error{Op: "ec2.CreateFlowLogs", Target: "vpc-1", Class: c, Err: errors.New("no")}
}

func TestClassOf(t *testing.T) {
	plain := errors.New("plain")
	tests := map[string]struct {
		err  error
		want remedy.Class
	}{
		"nil":                          {nil, remedy.None},
		"none joined":                  {errors.Join(nil, nil), remedy.None},
		"plain":                        {plain, remedy.Unknown},
		"wrapped plain":                {fmt.Errorf("observe: %w", plain), remedy.Unknown},
		"classed":                      {failed(remedy.Terminal), remedy.Terminal},
		"wrapped":                      {fmt.Errorf("a: %w", fmt.Errorf("b: %w", failed(remedy.Transient))), remedy.Transient},
		"joined, transient first":      {errors.Join(failed(remedy.Transient), failed(remedy.Terminal)), remedy.Transient},
		"joined, terminal first":       {errors.Join(failed(remedy.Terminal), failed(remedy.Transient)), remedy.Transient},
		"joined with plain":            {errors.Join(failed(remedy.Transient), plain), remedy.Unknown},
		"joined, wrapped, joined":      {errors.Join(failed(remedy.Present), fmt.Errorf("x: %w", errors.Join(failed(remedy.Missing), failed(remedy.Terminal)))), remedy.Terminal},
		"two wrapped in one":           {fmt.Errorf("%w and %w", failed(remedy.Terminal), failed(remedy.Transient)), remedy.Transient},
		"joined with nil":              {errors.Join(nil, failed(remedy.Missing)), remedy.Missing},
		"without a class":              {failed(remedy.None), remedy.Unknown},
		"around nothing":               {hollow{}, remedy.Unknown},
		"around nothing, joined":       {errors.Join(failed(remedy.Terminal), hollow{}), remedy.Unknown},
		"several, all nil":             {crowd{nil, nil}, remedy.Unknown},
		"several, some nil":            {crowd{nil, failed(remedy.Terminal), nil}, remedy.Terminal},
		"an Error around another's":    {&remedy.Error{Class: remedy.Terminal, Err: failed(remedy.Transient)}, remedy.Terminal},
		"a class under a foreign wrap": {fmt.Errorf("notify: %w", failed(remedy.Present)), remedy.Present},
	}
	for name, tt := range tests {
		if got := remedy.ClassOf(tt.err); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestRetry(t *testing.T) {
	for class, want := range map[remedy.Class]bool{
		remedy.None: false, remedy.Unknown: true, remedy.Transient: true,
		remedy.Terminal: false, remedy.Missing: false, remedy.Present: false,
	} {
		if got := class.Retry(); got != want {
			t.Errorf("%s is tried again: %t, want %t", class, got, want)
		}
	}
}

func TestErrorText(t *testing.T) {
	e := &remedy.Error{Op: "ec2.CreateFlowLogs", Target: "vpc-1", Class: remedy.Terminal, Err: errors.New("denied")}
	if got, want := e.Error(), "ec2.CreateFlowLogs vpc-1: denied"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	e.Hint = "allow it"
	if got, want := e.Error(), "ec2.CreateFlowLogs vpc-1: denied (allow it)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if !errors.Is(e, e.Err) {
		t.Error("the cause is not unwrapped")
	}
}
