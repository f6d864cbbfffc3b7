package catalog

import (
	"slices"

	"github.com/relight-aws/relight/internal/lazy"
)

// An Organization is the accounts of an organisation that one deployment guards from
// its own account, the hub. The zero value means that it guards its own account alone.
type Organization struct {
	ID         string // "o-" and so on
	Hub        string // the account of the home stack
	Role       string // name of the role that the functions of the hub assume in a guarded account
	ExternalID string // "" for none

	Accounts, OUs               []string // what is guarded; all of the organisation if both are empty
	ExcludeAccounts, ExcludeOUs []string // what is not

	Concurrency int // how many accounts a sweep has in hand at once
}

// DefaultConcurrency leaves two of the ten functions that may run at once in a new account of
// AWS to events. 500 accounts at six seconds each take it about six minutes. Source of the ten:
// AWS Lambda Developer Guide, "Lambda quotas", concurrent executions, documented.
const DefaultConcurrency = 8

// MostConcurrency is the most that may be configured: what Lambda runs at once in an account, as
// long as nobody asks for more. Source: likewise.
const MostConcurrency = 1000

// ByUnits reports whether organisational units decide about some accounts.
func (o Organization) ByUnits() bool { return len(o.OUs)+len(o.ExcludeOUs) > 0 }

// Listed reports whether the configuration names every guarded account.
func (o Organization) Listed() bool { return len(o.Accounts) > 0 && len(o.OUs) == 0 }

// On reports whether the deployment guards other accounts.
func (o Organization) On() bool { return o.ID != "" }

// Lists reports whether the lists of accounts alone say whether an account is guarded, and
// what they say. The hub is always guarded.
func (o Organization) Lists(account string) (guarded, known bool) {
	switch {
	case !o.On():
		return false, true
	case account == o.Hub, slices.Contains(o.Accounts, account):
		return true, true
	case slices.Contains(o.ExcludeAccounts, account), len(o.Accounts) > 0 && len(o.OUs) == 0:
		return false, true
	}
	return len(o.OUs)+len(o.ExcludeOUs) == 0, len(o.OUs)+len(o.ExcludeOUs) == 0
}

// Guards reports whether an account of the organisation is guarded, given the root and the
// organisational units above it.
func (o Organization) Guards(account string, above ...string) bool {
	if guarded, known := o.Lists(account); known {
		return guarded
	}
	in := func(ous []string) bool {
		return slices.ContainsFunc(ous, func(ou string) bool { return slices.Contains(above, ou) })
	}
	return !in(o.ExcludeOUs) && (len(o.OUs) == 0 || in(o.OUs))
}

// IDs in an organisation. Source: botocore 1.43, models of AWS Organizations
// (OrganizationId, AccountId, RootId and OrganizationalUnitId), modelled.
var (
	OrganizationShape = lazy.Compile(`^o-[a-z0-9]{10,32}$`)
	AccountShape      = lazy.Compile(`^\d{12}$`)
	RootShape         = lazy.Compile(`^r-[0-9a-z]{4,32}$`)
	OUShape           = lazy.Compile(`^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$`)
)

// ExternalIDShape matches the external ID of a trust policy. Source: IAM User Guide,
// "IAM and AWS STS quotas", IAM name requirements, documented; botocore 1.43, model of
// AWS STS (externalIdType), modelled.
var ExternalIDShape = shape(`^([\w+=,.@:/-]+)$`, 2, 1224)
