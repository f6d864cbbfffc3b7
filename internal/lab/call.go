package lab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"reflect"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// The clients that make calls.
const (
	goSDK  = "Go SDK"
	awsCLI = "aws CLI"
)

// A Call is one AWS call as data. Its input has the API's own member names and
// may contain placeholders such as "${trail-log-group}"; Session.read lists
// them. A placeholder that stands for a list has to be a whole string.
type Call struct {
	Client    string
	Service   string // the AWS CLI's name: "logs", "s3api"
	Operation string // the API's name: "PutRetentionPolicy"
	Input     input

	send func(ctx context.Context, s *Session, in []byte) error
}

type input = map[string]any

// cli is a call of the AWS CLI.
func cli(service, operation string, in input) Call {
	return Call{awsCLI, service, operation, in, func(ctx context.Context, s *Session, in []byte) error {
		_, err := s.AWS(ctx, service, kebab(operation), "--cli-input-json", string(in))
		return err
	}}
}

// sdk is a call of the Go SDK by a client's method: (*ec2.Client).CreateVpc. If
// the code looked up methods by name, the linker would keep every method of
// every client: 60 MB.
func sdk[Client, In, Out, Options any](method func(*Client, context.Context, *In, ...func(*Options)) (*Out, error), in input) Call {
	of := reflect.TypeFor[In]()
	service := strings.TrimPrefix(path.Base(of.PkgPath()), "cloudwatch")
	return Call{goSDK, cmp.Or(service, "cloudwatch"), strings.TrimSuffix(of.Name(), "Input"), in, func(ctx context.Context, s *Session, raw []byte) error {
		var typed In
		strict := json.NewDecoder(bytes.NewReader(raw))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&typed); err != nil {
			return fmt.Errorf("input: %w", err)
		}
		out, err := method(client[Client](s), ctx, &typed)
		// EC2 reports a failure for one resource inside a successful reply.
		if made, ok := any(out).(*ec2.CreateFlowLogsOutput); ok && err == nil && len(made.Unsuccessful) > 0 {
			err = errors.New(aws.ToString(made.Unsuccessful[0].Error.Message))
		}
		return err
	}}
}

// client returns the session's client of a type.
func client[Client any](s *Session) *Client {
	for _, field := range reflect.ValueOf(*s).Fields() {
		if c, ok := reflect.TypeAssert[*Client](field); ok {
			return c
		}
	}
	panic(fmt.Sprintf("a session has no %T", new(Client)))
}

// String names the call as people search for it: "kms EnableKey".
func (c Call) String() string { return c.Service + " " + c.Operation }

// Make makes the calls in order and stops at the first error. It replaces every
// placeholder before the first call, so that a later call can name what existed
// before an earlier one.
func (s *Session) Make(ctx context.Context, t Target, calls ...Call) error {
	known := map[string]any{}
	read := func(name string) (any, error) {
		var err error
		if _, ok := known[name]; !ok {
			known[name], err = s.read(ctx, t, name)
		}
		return known[name], err
	}
	inputs := make([][]byte, len(calls))
	for i, c := range calls {
		var err error
		if inputs[i], err = c.fill(read); err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	for i, c := range calls {
		if err := c.send(ctx, s, inputs[i]); err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	return nil
}

// placeholder matches a string that is one placeholder, or a placeholder inside
// a longer string.
var placeholder = regexp.MustCompile(`"\$\{([a-z-]+)\}"|\$\{([a-z-]+)\}`)

// fill returns the call's input as JSON with every placeholder replaced.
func (c Call) fill(read func(name string) (any, error)) ([]byte, error) {
	raw, err := json.Marshal(c.Input)
	if err != nil {
		return nil, err
	}
	var failed error
	filled := placeholder.ReplaceAllFunc(raw, func(match []byte) []byte {
		value, err := read(string(bytes.Trim(match, `"${}`)))
		text, jsonErr := json.Marshal(value)
		failed = errors.Join(failed, err, jsonErr)
		if match[0] != '"' {
			text = bytes.Trim(text, `"`)
		}
		return text
	})
	return filled, failed
}

// kebab returns an operation's name as the AWS CLI spells it.
func kebab(operation string) string {
	return strings.ToLower(regexp.MustCompile(`\B[A-Z]`).ReplaceAllString(operation, "-$0"))
}
