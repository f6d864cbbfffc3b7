package trigger

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/relight-aws/relight/internal/lazy"
)

// An identity is the userIdentity of a CloudTrail record. Which fields it has
// depends on its type. Source: CloudTrail User Guide, "CloudTrail userIdentity
// element". inScopeOf is not read: it names the function or task whose name the
// session of the role has already.
type identity struct {
	Type              string `json:"type"`
	ARN               string `json:"arn"`
	PrincipalID       string `json:"principalId"`
	AccountID         string `json:"accountId"`
	UserName          string `json:"userName"`
	IdentityProvider  string `json:"identityProvider"`
	InvokedBy         string `json:"invokedBy"` // the AWS service that made the call for the caller
	InvokedByDelegate struct {
		AccountID string `json:"accountId"` // of the product provider that made the call with delegated access
	} `json:"invokedByDelegate"`
	OnBehalfOf struct {
		UserID           string `json:"userId"`
		IdentityStoreARN string `json:"identityStoreArn"`
	} `json:"onBehalfOf"`
	SessionContext struct {
		SessionIssuer struct {
			ARN string `json:"arn"`
		} `json:"sessionIssuer"`
		SourceIdentity      string `json:"sourceIdentity"`
		AssumedRoot         any    `json:"assumedRoot"` // "true" in the guide's example, where the text says true
		WebIDFederationData struct {
			FederatedProvider string `json:"federatedProvider"`
		} `json:"webIdFederationData"`
	} `json:"sessionContext"`
}

// anonymous is the account of a caller without credentials. Source: Amazon S3
// User Guide, "CloudTrail log file entries".
const anonymous = "ANONYMOUS_PRINCIPAL"

// String names the caller as far as the record does; "" if it does not. Names
// that callers choose are quoted if they could be taken for a part of the text.
func (id identity) String() string {
	who := id.who()
	if who == "" {
		return id.InvokedBy
	}
	also := func(what, name string) {
		if name != "" {
			who += ", " + what + " " + name
		}
	}
	if issuer := plain(id.SessionContext.SessionIssuer.ARN); id.Type == "FederatedUser" && issuer != who {
		also("with credentials of", issuer) // the federated user's own name is any that this one chose
	}
	if id.ARN != "" {
		also("federated by", plain(id.SessionContext.WebIDFederationData.FederatedProvider))
	}
	if fmt.Sprint(id.SessionContext.AssumedRoot) == "true" {
		also("in a session of", "AssumeRoot")
	}
	if user := id.centerUser(); user != who {
		also("on behalf of", user)
	}
	if s := id.SessionContext.SourceIdentity; s != "" {
		also("source identity", fmt.Sprintf("%q", s))
	}
	if a := id.InvokedByDelegate.AccountID; a != "" {
		also("delegated to", "account "+plain(a))
	}
	also("through", id.InvokedBy)
	return who
}

// who names the principal.
func (id identity) who() string {
	if arn := cmp.Or(id.ARN, id.SessionContext.SessionIssuer.ARN); arn != "" {
		return plain(arn)
	}
	name := ""
	if id.UserName != "" {
		name = fmt.Sprintf("%q", id.UserName)
	}
	principal := plain(id.PrincipalID)
	provider := plain(cmp.Or(id.IdentityProvider, id.SessionContext.WebIDFederationData.FederatedProvider))
	account := ""
	if id.AccountID != "" {
		account = "account " + plain(id.AccountID)
	}
	switch {
	case id.AccountID == anonymous:
		return "an anonymous caller"
	case id.Type == "Root":
		return of("the root user", account) // its userName is the alias of the account
	case id.Type == "IdentityCenterUser" && id.centerUser() != "":
		return id.centerUser()
	case id.Type == "SAMLUser" && name+principal != "":
		return of("SAML user "+cmp.Or(name, principal), provider)
	case id.Type == "WebIdentityUser" && name+principal != "":
		return of("web identity user "+cmp.Or(name, principal), provider)
	case name != "":
		return of("user "+name, account)
	case principal != "":
		return of("principal "+principal, account)
	}
	return account
}

// centerUser names the user of IAM Identity Center; "" if there is none.
func (id identity) centerUser() string {
	if id.OnBehalfOf.UserID == "" {
		return ""
	}
	store := id.OnBehalfOf.IdentityStoreARN
	return of("Identity Center user "+plain(id.OnBehalfOf.UserID), plain(store[strings.LastIndex(store, "/")+1:]))
}

func of(a, b string) string {
	if b == "" {
		return a
	}
	return a + " of " + b
}

// unquoted matches ARNs and IDs of the usual characters.
var unquoted = lazy.Compile(`^[\w+=,.@:/*-]*$`)

// plain returns an ARN or ID as it is if it has the usual characters, and quoted
// if not: the path of a user and the subject of a SAML assertion may have others.
func plain(s string) string {
	if unquoted.MatchString(s) {
		return s
	}
	return fmt.Sprintf("%q", s)
}
