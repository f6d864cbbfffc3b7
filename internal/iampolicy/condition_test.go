package iampolicy_test

import (
	"fmt"
	"testing"

	"github.com/relight-aws/relight/internal/iampolicy"
)

// Conditions are judged by what is known of a call.
func TestHolds(t *testing.T) {
	call := iampolicy.Call{
		"a:account": iampolicy.Has("111122223333"), "a:arn": iampolicy.Has("arn:aws:cloudwatch:us-east-1:111122223333:alarm:*"),
		"a:tls": iampolicy.Has("true"), "a:none": iampolicy.Lacks(), "a:else": iampolicy.HasOther(),
		"a:tag/*": iampolicy.Lacks(),
	}
	const never, maybe, always = iampolicy.Never, iampolicy.Maybe, iampolicy.Always
	tests := map[string]iampolicy.Verdict{
		``: always,
		`"StringEquals":{"A:Account":"111122223333"}`:                                  always,
		`"stringequals":{"a:account":["1","111122223333"]}`:                            always,
		`"StringEquals":{"a:account":"444455556666"}`:                                  never,
		`"StringEquals":{"a:account":"1111*"}`:                                         never,
		`"StringEquals":{"a:account":[]}`:                                              never,
		`"StringLike":{"a:account":"1111*"}`:                                           always,
		`"StringNotEquals":{"a:account":"444455556666"}`:                               always,
		`"StringNotEquals":{"a:account":["444455556666","111122223333"]}`:              never,
		`"StringNotLike":{"a:account":"1*"}`:                                           never,
		`"StringEquals":{"a:account":"${aws:PrincipalAccount}"}`:                       maybe,
		`"ForAnyValue:StringEquals":{"a:account":"111122223333"}`:                      always,
		`"ForAnyValue:StringNotEquals":{"a:none":"x"}`:                                 never,
		`"ForAllValues:StringEquals":{"a:none":"x"}`:                                   always,
		`"ArnLike":{"a:arn":"arn:aws:cloudwatch:*:111122223333:alarm:*"}`:              always,
		`"ArnEquals":{"a:arn":"arn:aws:cloudwatch:*:*:*"}`:                             always,
		`"ArnLike":{"a:arn":"arn:aws:cloudwatch:*:444455556666:alarm:*"}`:              never,
		`"ArnLike":{"a:arn":"arn:aws:cloudwatch:*:*:alarm:root"}`:                      maybe,
		`"ArnLike":{"a:arn":"arn:aws:cloudwatch:*"}`:                                   maybe,
		`"ArnNotLike":{"a:arn":"arn:aws:cloudwatch:*:*:alarm:*"}`:                      never,
		`"StringEquals":{"a:arn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:*"}`: maybe, // an alarm whose name is a star
		`"Bool":{"a:tls":true}`:                                                        always,
		`"Bool":{"a:tls":"False"}`:                                                     never,
		`"StringEquals":{"a:none":"x"}`:                                                never,
		`"StringEqualsIfExists":{"a:none":"x"}`:                                        always,
		`"StringNotEquals":{"a:none":"x"}`:                                             always,
		`"StringNotEqualsIfExists":{"a:none":"x"}`:                                     always,
		`"StringLike":{"a:none":"*"}`:                                                  never,
		`"StringEquals":{"a:tag/team":"x"}`:                                            never,
		`"Null":{"a:none":"true"}`:                                                     always,
		`"Null":{"a:none":"false"}`:                                                    never,
		`"Null":{"a:account":"true"}`:                                                  never,
		`"Null":{"a:account":false}`:                                                   always,
		`"StringEquals":{"a:else":"x"}`:                                                never,
		`"StringNotEquals":{"a:else":"x"}`:                                             always,
		`"StringEqualsIfExists":{"a:else":"x"}`:                                        maybe,
		`"StringLike":{"a:else":"arn:aws:iam::*:role/x"}`:                              maybe,
		`"ArnNotLike":{"a:else":"arn:aws:iam::111122223333:role/?"}`:                   maybe,
		`"ArnLike":{"a:else":"arn:aws:iam::111122223333:role/x"}`:                      never,
		`"ForAnyValue:StringNotEqualsIfExists":{"a:none":"x"}`:                         maybe,
		`"ForAllValues:StringNotEqualsIfExists":{"a:none":"x"}`:                        always,
		`"NumericEquals":{"a:account":111122223333}`:                                   maybe,
		`"StringEquals":{"a:account":111122223333}`:                                    always,
		`"StringLike":{"a:else":"*"}`:                                                  maybe,
		`"IpAddress":{"a:else":"192.0.2.0/24"}`:                                        maybe,
		`"NotIpAddress":{"a:else":"192.0.2.0/24"}`:                                     maybe,
		`"IpAddress":{"a:else":["192.0.2.0/24","0.0.0.0/0"]}`:                          maybe,
		`"StringEquals":{"a:unknown":"x"}`:                                             maybe,
		`"StringNotEquals":{"a:unknown":"x"}`:                                          maybe,
		`"DateGreaterThan":{"a:account":"2020-01-01T00:00:00Z"}`:                       maybe,
		`"Bool":{"a:tls":true},"StringEquals":{"a:account":"444455556666"}`:            never,
		`"Bool":{"a:tls":true},"StringEquals":{"a:unknown":"x"}`:                       maybe,
		`"Bool":{"a:tls":true,"a:none":"false"},"StringEquals":{"a:unknown":"x"}`:      never,
	}
	for condition, want := range tests {
		if got := statement(t, fmt.Sprintf(`"Condition":{%s}`, condition)).Holds(call); got != want {
			t.Errorf("%s: %d, want %d", condition, got, want)
		}
	}
}
