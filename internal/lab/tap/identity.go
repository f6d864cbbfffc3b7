package tap

import (
	"context"
	"sync"
	"time"
)

// An Identity is the principal behind an access key.
type Identity struct {
	Type        string    `json:"type"` // Root, IAMUser or AssumedRole
	PrincipalID string    `json:"principalId"`
	ARN         string    `json:"arn"`
	AccountID   string    `json:"accountId"`
	UserName    string    `json:"userName"` // if the type is IAMUser
	Issuer      *Issuer   `json:"issuer"`   // if the type is AssumedRole
	Since       time.Time `json:"since"`    // start of a session
}

// An Issuer is the role that an AssumedRole's session belongs to.
type Issuer struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
	ARN         string `json:"arn"`
	AccountID   string `json:"accountId"`
	UserName    string `json:"userName"` // the role's name
}

// userIdentity returns the element of that name in a record.
//
// Source: CloudTrail userIdentity element,
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func (id Identity) userIdentity(accessKey string) map[string]any {
	out := map[string]any{
		"type":        id.Type,
		"principalId": id.PrincipalID,
		"arn":         id.ARN,
		"accountId":   id.AccountID,
		"accessKeyId": accessKey,
	}
	if id.UserName != "" {
		out["userName"] = id.UserName
	}
	if id.Issuer != nil {
		out["sessionContext"] = map[string]any{
			"sessionIssuer": id.Issuer,
			"attributes": map[string]any{
				"creationDate":     id.Since.UTC().Format(time.RFC3339),
				"mfaAuthenticated": "false",
			},
		}
	}
	return out
}

// directory caches the principals of access keys. A key names one principal for
// as long as it exists, and AWS does not use a key again.
type directory struct {
	ask func(context.Context, string) (Identity, error)

	mu    sync.Mutex
	known map[string]Identity
}

func (d *directory) get(ctx context.Context, key string) (Identity, error) {
	d.mu.Lock()
	id, ok := d.known[key]
	d.mu.Unlock()
	if ok || key == "" {
		return id, nil
	}
	id, err := d.ask(ctx, key)
	if err != nil || id.ARN == "" { // a key that is unknown now may belong to a user later
		return id, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil {
		d.known = map[string]Identity{}
	}
	d.known[key] = id
	return id, nil
}
