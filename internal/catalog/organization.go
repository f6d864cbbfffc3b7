package catalog

import "github.com/relight-aws/relight/internal/lazy"

// An Organization is the accounts of an organisation that one deployment guards from
// its own account, the hub. The zero value means that it guards its own account alone.
type Organization struct {
	ID         string // "o-" and so on
	Hub        string // the account of the home stack
	Role       string // name of the role that the functions of the hub assume in a guarded account
	ExternalID string // "" for none

	Accounts, OUs               []string // what is guarded; all of the organisation if both are empty
	ExcludeAccounts, ExcludeOUs []string // what is not
}

// On reports whether the deployment guards other accounts.
func (o Organization) On() bool { return o.ID != "" }

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
