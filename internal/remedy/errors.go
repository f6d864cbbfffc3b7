package remedy

import (
	"cmp"
	"fmt"
)

// Class says what a caller may do about a failed AWS call.
type Class uint8

// The classes. Of several joined errors, the lowest class above None counts: a
// call that may succeed later is worth another try, whatever else failed for good.
const (
	None      Class = iota // no error
	Unknown                // the error code is not in the table; treated as Transient
	Transient              // the same call may succeed later: throttling, 5xx, IAM propagation
	Terminal               // the same call cannot succeed: permissions, validation, quota
	Missing                // the target does not exist
	Present                // the target already exists
)

var classNames = [...]string{"none", "unknown", "transient", "terminal", "missing", "present"}

// String returns the class as it appears in log lines.
func (c Class) String() string { return classNames[c] }

// Retry reports whether the same run may succeed later.
func (c Class) Retry() bool { return c == Unknown || c == Transient }

// An Error is a failed AWS call.
type Error struct {
	Op     string // service and operation: "ec2.CreateFlowLogs"
	Target string // what the call was about
	Class  Class
	Hint   string // what a person can do about it; "" if the message is enough
	Err    error

	Partial bool // the target was made, without the part that the error is about
}

// Error returns the call, its target, the cause and the hint in one line.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s %s: %v", e.Op, e.Target, e.Err)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of an error: None for nil only, Unknown for an error
// without a class, and the lowest class of joined errors.
func ClassOf(err error) Class {
	if err == nil {
		return None
	}
	class := None
	switch e := err.(type) { //nolint:errorlint // walks the whole tree, which errors.As does not
	case *Error:
		class = e.Class
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if c := ClassOf(inner); class == None || c < class && c != None {
				class = c
			}
		}
	case interface{ Unwrap() error }:
		class = ClassOf(e.Unwrap())
	}
	return cmp.Or(class, Unknown)
}
