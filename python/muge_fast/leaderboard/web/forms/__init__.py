"""Forms of browsers: what they post, and the page that follows.

============================================== =================================== ================================
POST                                           fields                              next page
============================================== =================================== ================================
``/login``                                     ``name``, ``password``, ``next``    ``next`` or ``/``
``/logout``                                                                        ``/``
``/register``                                  ``name``, ``password``,             ``my_team``
                                               ``invitation``
``/account/password``                          ``old``, ``new``                    ``account``
``/account/tokens``                            ``label``, ``days``                 ``account``, with the secret
``/account/tokens/{token}/revoke``                                                 ``account``
``/team``                                      ``name``                            ``my_team``
``/team/change``                               ``name``, ``alias``                 ``my_team``
``/team/invitations``                                                              ``my_team``, with the link
``/team/invitations/revoke``                                                       ``my_team``
``/team/join``                                 ``invitation``                      ``my_team``
``/team/leave``                                                                    ``my_team``
``/tasks/{task}/submit``                       multipart: ``file``, ``method``,    ``submission``
                                               ``links``, ``key`` (or ``?key=``)
``/submissions/{submission}/withdraw``         also ``restore`` and ``cancel``     ``submission``
``/admin/submissions/{submission}/rule-out``   ``reason``                          ``submission``
``/admin/submissions/{submission}/reinstate``                                      ``submission``
``/admin/evaluations/{evaluation}/requeue``                                        ``admin``
``/admin/accounts/{account}/disable``                                              ``admin_teams``
``/admin/tasks/{task}/rejudges``               ``evaluator``, ``reason``           ``admin_rejudge``
``/admin/rejudges/{rejudge}/apply``            ``confirm``, ``with_faults``        ``admin_rejudge``
``/admin/rejudges/{rejudge}/drop``                                                 ``admin_rejudge``
============================================== =================================== ================================

A form that succeeds redirects with 303 to the page, with ``?done=`` and one of ``DONE`` in ``outcomes``. One that is
refused shows its page again, with the status and a :class:`~muge_fast.leaderboard.web.page_table.Notice`. The page
``join``, at ``/team/join?invitation=…``, asks before it posts.
"""
