"""The commands that talk to the running program, for people at a terminal and for scripts.

    options     what each was asked for, and its parser
    screen      what is shown: text that others have written is made harmless first
    perform     which command does what, and the short ones
    lists       rooms and people as tables, or as JSON
    send        a message, or a stream of them; tail: the conversation as it goes on
    wait        until everyone has what was sent
    verify      comparing keys
    contacts    contact codes and addresses
    doctor      what works on this network

None of them opens the database: all they know comes from the UI API (`ui_client`).
They import little, so that a script can call them often.
"""
