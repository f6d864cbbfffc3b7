package awsio

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/order"
	"github.com/relight-aws/relight/internal/remedy"
)

// These are the optional parts of what relight creates, as people read them.
const (
	partKey        = "its key"
	partProtection = "deletion protection"
	partBoundary   = "its permissions boundary"
	partTags       = "tags"
	partOthers     = "what others added to it"
)

// createWithout makes a call that creates something with optional parts. A refusal
// for one of them, such as a key that is disabled, must not keep a protection from
// coming back: if blames says that the refusal may be for a part, createWithout makes
// the call again, and leaves out as few parts as it can, the first ones first. It returns the parts that it left out, with the
// refusal, and the last error if nothing was created.
func createWithout(call func(without []string) error, blames func(error) bool, parts ...string) (without []string, refusal, err error) {
	for _, without = range choices(parts) {
		err = call(without)
		switch {
		case err == nil:
			return without, refusal, nil
		case !blames(err):
			return nil, nil, err
		}
		refusal = cmp.Or(refusal, err)
	}
	return nil, nil, refusal
}

// choices returns every choice of parts, the smallest first.
func choices(parts []string) [][]string {
	all := [][]string{nil}
	for _, part := range parts {
		for _, choice := range all {
			all = append(all, slices.Concat(choice, []string{part}))
		}
	}
	order.By(all, func(a, b []string) int { return cmp.Compare(len(a), len(b)) })
	return all
}

// blamesPart reports whether a refusal may be about an optional part of a request.
// Known codes are, for a log group's key, InvalidParameterException if it is
// disabled (CloudWatch Logs API Reference, CreateLogGroup) and
// AccessDeniedException if its policy does not admit CloudWatch Logs
// (hashicorp/terraform-provider-aws issue 29282); for tags, those of a missing
// permission; for a boundary that does not exist, NoSuchEntity (IAM API Reference,
// CreateRole). Any other code may turn up too; only a quota and what passes by
// itself are about something else.
func blamesPart(err error) bool {
	class, code := remedy.ClassOf(err), codeOf(err)
	lasting := class == remedy.Terminal || class == remedy.Unknown || code == "NoSuchEntity" || strings.HasPrefix(code, "KMS")
	return lasting && code != "" && !strings.Contains(code, "LimitExceeded")
}

// blamesTags reports whether a refusal is about the tags of a request, or may be: it
// is a denial, which need not say of what, or its code names them.
func blamesTags(err error) bool {
	return slices.Contains(deniedCodes, codeOf(err)) || strings.Contains(codeOf(err), "Tag")
}

// incomplete returns the error of something that was created without some parts,
// or nil if it has them all.
func incomplete(what string, without []string, refusal error, hint string) error {
	e, ok := errors.AsType[*remedy.Error](refusal)
	if len(without) == 0 || !ok {
		return nil
	}
	partial := *e
	partial.Class, partial.Partial = remedy.Terminal, true
	partial.Hint = what + " was created without " + strings.Join(without, ", ") + hint
	return &partial
}
